//go:build !unix

package meet_test

import (
	"testing"

	"github.com/seed-09a96375/belfry"
)

// addRedis adds nothing: the Redis servers of tests are for Unix.
func addRedis(map[string]func(t *testing.T) func() belfry.Bus) {}
