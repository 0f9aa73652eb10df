//go:build unix

package serve

import (
	"testing"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

func TestAllFrontsMeetAcrossNodes(t *testing.T) {
	redis := redistest.Start(t)
	o := meeting()
	o.Bus.URL, o.Bus.Interest = redis.URL(), true
	meet(t, run(t, o), run(t, o))
}
