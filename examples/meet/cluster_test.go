package meet_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/examples/meet"
	"github.com/seed-09a96375/belfry/socketio"
)

// buses are those that nodes are joined by. Each returns what makes the bus of
// one more node.
func buses() map[string]func(t *testing.T) func() belfry.Bus {
	all := map[string]func(t *testing.T) func() belfry.Bus{
		"memory": func(*testing.T) func() belfry.Bus {
			b := memory.New(memory.Options{Log: &memory.Log{}})
			return func() belfry.Bus { return b }
		},
	}
	addRedis(all)
	return all
}

// clusterFunc starts nodes whose clients may be away for a time, and returns
// their addresses.
type clusterFunc func(t *testing.T, nodes int, away time.Duration, o meet.Options) []string

// onEachBus runs a test over every bus.
func onEachBus(t *testing.T, test func(t *testing.T, cluster clusterFunc)) {
	for name, begin := range buses() {
		t.Run(name, func(t *testing.T) { test(t, clusterOn(begin)) })
	}
}

// cluster starts nodes in one process.
func cluster(t *testing.T, nodes int, away time.Duration, o meet.Options) []string {
	t.Helper()
	return clusterOn(buses()["memory"])(t, nodes, away, o)
}

func clusterOn(begin func(t *testing.T) func() belfry.Bus) clusterFunc {
	return func(t *testing.T, nodes int, away time.Duration, o meet.Options) []string {
		t.Helper()
		next := begin(t)
		urls := make([]string, nodes)
		for i := range urls {
			urls[i] = serve(t, socketio.Options{
				Bus: next(), Node: belfry.NodeID(fmt.Sprint("node-", i+1)),
				Recovery: &socketio.Recovery{MaxDisconnection: away},
			}, o)
		}
		return urls
	}
}
