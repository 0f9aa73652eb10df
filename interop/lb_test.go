package interop

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/interop/subject"
)

// TestAnyNode has unmodified clients behind a real load balancer that gives every
// request to another of three nodes.
func TestAnyNode(t *testing.T) {
	program := build(t, ".", "./server")
	t.Run("memory", func(t *testing.T) {
		behindEach(t, start(t, program, "testdata/profiles.json"), pollingClients())
	})
	t.Run("redis", func(t *testing.T) {
		s := start(t, program, "testdata/profiles.json", redistest.Start(t).URL())
		behindEach(t, s, pollingClients()[:1])
	})
}

func behindEach(t *testing.T, s *subject.Subject, clients []client) {
	for _, b := range balancers {
		t.Run(b.name, func(t *testing.T) { behind(t, balanced(t, b, s, "any"), clients) })
	}
}

// TestOwnNodeOnly is the negative control: nodes that do not pass requests on, and
// a client that polls. It must fail, and a WebSocket must not.
func TestOwnNodeOnly(t *testing.T) {
	s := start(t, build(t, ".", "./server"), "testdata/profiles.json")
	for _, b := range balancers {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			through := balanced(t, b, s, "own")
			for _, c := range pollingClients() {
				argv := append(c.argv(t), config(c, "polling", []string{"connect"}, newNetwork(t, through)))
				if r, ran := run(t, argv)["connect"]; !ran || r.OK || !strings.Contains(r.Detail, "rror") {
					t.Errorf("%s polled without an error: %+v", c.name, r)
				}
			}
			c := pollingClients()[0]
			argv := append(c.argv(t), config(c, "websocket", []string{"connect"}, newNetwork(t, through)))
			check(t, []string{"connect"}, run(t, argv))
		})
	}
}

// balanced is s with a balancer before the three servers of a cluster, in place of
// the servers that scenarios connect to.
func balanced(t *testing.T, b balancer, s *subject.Subject, cluster string) *subject.Subject {
	t.Helper()
	var nodes [3]string
	for i, n := range []string{"-1", "-2", "-3"} {
		nodes[i] = strings.TrimPrefix(s.URLs[cluster+n], "http://")
	}
	url := "http://" + b.start(t, nodes)
	urls := maps.Clone(s.URLs)
	for _, profile := range []string{"main", "a", "b"} {
		urls[profile] = url
	}
	return &subject.Subject{URLs: urls}
}

func pollingClients() []client {
	return slices.DeleteFunc(allClients(), func(c client) bool { return c.name != "js4" && c.name != "python" })
}

// behind runs scenarios that only need some nodes with default options.
func behind(t *testing.T, s *subject.Subject, clients []client) {
	kinds := map[string][]string{
		"js4": {"connect", "transport", "echo-", "binary-", "namespace-", "room-", "order-", "ack-", "disconnect-", "cluster-"},
		// The client waits for long here and there, also on Node.js.
		"python": {"connect", "echo-unicode", "echo-900k", "binary-many", "room-broadcast", "order-up", "ack-from-client", "ack-broadcast", "disconnect-by-", "cluster-"},
	}
	for _, c := range clients {
		some := about(load[[]scenario](t, "scenarios.json"), kinds[c.name])
		clientsOf(t, belfryServer, s, some, []client{c})
	}
}

// about returns the scenarios of some kinds, which end with "-", or names.
func about(all []scenario, kinds []string) []scenario {
	return slices.DeleteFunc(all, func(s scenario) bool {
		switch s.Name {
		case "cluster-except", "cluster-nodes": // know which node they are on
			return true
		}
		return !slices.ContainsFunc(kinds, func(kind string) bool {
			return s.Name == kind || strings.HasSuffix(kind, "-") && strings.HasPrefix(s.Name, kind)
		})
	})
}
