// Package interop tests Belfry with the clients that people have, and holds it
// against the server that they know.
package interop

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/interop/subject"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is a kind of server under test.
type server string

const (
	nodeServer   server = "node"
	belfryServer server = "belfry"
)

// TestNode is the control: what the tests demand is what Socket.IO on Node.js
// does.
func TestNode(t *testing.T) {
	tool(t, "node")
	installed(t, "node/node_modules", "scripts/install clients")
	everything(t, nodeServer, start(t, "node", "node/contract.js", "testdata/profiles.json"))
}

// TestBelfry demands the same of Belfry.
func TestBelfry(t *testing.T) {
	everything(t, belfryServer, start(t, build(t, ".", "./server"), "testdata/profiles.json"))
}

// TestBelfryOverRedis joins the nodes over a real Redis.
func TestBelfryOverRedis(t *testing.T) {
	r := redistest.Start(t)
	s := start(t, build(t, ".", "./server"), "testdata/profiles.json", r.URL())
	clients(t, belfryServer, s, aboutNodes(load[[]scenario](t, "scenarios.json")))
}

// TestFaultsAreFound runs the scenarios about order against a server that loses,
// doubles or swaps some events: they must fail.
func TestFaultsAreFound(t *testing.T) {
	js4 := allClients()[0]
	argv := js4.argv(t)
	for _, fault := range []string{"lose", "double", "swap"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			installed(t, "node/node_modules", "scripts/install clients")
			s := start(t, "node", "node/contract.js", "testdata/profiles.json", fault)
			names := []string{"order-down", "cluster-order", "order-mixed"}
			results := run(t, append(slices.Clone(argv), config(js4, "websocket", names, newNetwork(t, s))))
			for _, name := range names {
				if r, ran := results[name]; !ran || r.OK {
					t.Errorf("%s did not notice: %+v", name, r)
				}
			}
		})
	}
}

func everything(t *testing.T, kind server, s *subject.Subject) {
	t.Run("packets", func(t *testing.T) { packets(t, kind, s) })
	t.Run("http", func(t *testing.T) { httpCases(t, kind, s) })
	t.Run("engineio", func(t *testing.T) { engineIO(t, s) })
	t.Run("socketio", func(t *testing.T) { socketIO(t, s) })
	t.Run("clients", func(t *testing.T) { clients(t, kind, s, load[[]scenario](t, "scenarios.json")) })
}

// start runs a contract server until the test ends; that it ends well belongs to
// the test.
func start(t *testing.T, argv ...string) *subject.Subject {
	t.Helper()
	s, err := subject.Start(".", argv...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stderr, err := s.Stop()
		if err != nil {
			t.Errorf("server: %v", err)
		}
		if t.Failed() && stderr != "" {
			t.Logf("server's standard error:\n%s", stderr)
		}
	})
	return s
}

// tool finds a program that has to be there.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + name) // not in everybody's PATH
	}
	if err != nil {
		missing(t, name+" is not installed", "scripts/install")
	}
	return path
}

// installed checks that a file or directory has been installed.
func installed(t *testing.T, path, remedy string) string {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		missing(t, path+" is not there", remedy)
	}
	return path
}

// missing ends a test that cannot run, as a failure where everything is
// required.
func missing(t *testing.T, what, remedy string) {
	t.Helper()
	if os.Getenv("BELFRY_REQUIRE") == "all" {
		t.Fatalf("%s: run %s", what, remedy)
	}
	t.Skipf("%s: run %s", what, remedy)
}

// load reads a file of testdata and tolerates no field that it does not know.
func load[T any](t *testing.T, name string) T {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var v T
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("testdata/%s: %v", name, err)
	}
	return v
}
