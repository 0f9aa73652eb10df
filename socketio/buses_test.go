package socketio_test

import (
	"maps"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/socketio"
)

// buses are those that the tests of clusters run over. Each returns what makes
// the bus of one more node of a cluster.
var buses = map[string]func(t testing.TB) func() belfry.Bus{
	"memory": func(testing.TB) func() belfry.Bus {
		b := memory.New(memory.Options{Log: &memory.Log{MaxMessages: 100_000}})
		return func() belfry.Bus { return b }
	},
}

// clusterFunc starts n servers of one cluster.
type clusterFunc func(t testing.TB, n int, o socketio.Options) []*node

// onEachBus runs a test over every bus there is.
func onEachBus(t *testing.T, test func(t *testing.T, cluster clusterFunc)) {
	all := maps.Clone(buses)
	maps.Copy(all, redisBuses)
	for name, begin := range all {
		t.Run(name, func(t *testing.T) {
			test(t, func(t testing.TB, n int, o socketio.Options) []*node {
				t.Helper()
				next := begin(t)
				nodes := make([]*node, n)
				for i := range nodes {
					o.Bus = next()
					nodes[i] = newNode(t, o)
				}
				return nodes
			})
		})
	}
}
