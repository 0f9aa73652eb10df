package fronttest

import (
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
)

// Begin starts a cluster, and returns what makes the bus of one more of its nodes.
type Begin = func(testing.TB) (next func() belfry.Bus)

// Buses are all that nodes are joined by, each with a log.
func Buses() map[string]Begin {
	all := map[string]Begin{"memory": Memory}
	addRedis(all)
	return all
}

// Memory joins nodes of one process.
func Memory(testing.TB) func() belfry.Bus {
	b := memory.New(memory.Options{Log: &memory.Log{MaxMessages: 100_000}})
	return func() belfry.Bus { return b }
}
