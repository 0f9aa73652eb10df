package socketio_test

import (
	"testing"

	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/socketio"
)

// clusterFunc starts n servers of one cluster.
type clusterFunc func(t testing.TB, n int, o socketio.Options) []*node

// onEachBus runs a test over every bus there is.
func onEachBus(t *testing.T, test func(t *testing.T, cluster clusterFunc)) {
	for name, begin := range fronttest.Buses() {
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
