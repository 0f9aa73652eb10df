//go:build !unix

package fleet_test

import (
	"testing"

	"github.com/seed-09a96375/belfry/examples/fleet"
)

// addRedis adds nothing: tests start Redis on Unix only.
func addRedis(map[string]func(testing.TB) shared, map[string]func(*testing.T) fleet.State) {}

func closeBroker() {}
