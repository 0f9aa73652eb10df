package bench

import (
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/seed-09a96375/belfry/internal/bench/benchtest"
)

// TestScripts runs the command line, with a server that behaves at $URL.
func TestScripts(t *testing.T) { runScripts(t, "testdata/script") }

// TestClusterScripts does so with servers that need a Redis.
func TestClusterScripts(t *testing.T) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("BELFRY_REQUIRE") == "all" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	runScripts(t, "testdata/cluster")
}

func runScripts(t *testing.T, dir string) {
	t.Helper()
	_, urls := nodes(t, benchtest.Options{}, 1)
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Setup: func(e *testscript.Env) error {
			e.Setenv("URL", urls[0])
			// The race detector lets every process sleep for a second at its end.
			e.Setenv("GORACE", "atexit_sleep_ms=0")
			e.Setenv("PID", strconv.Itoa(os.Getpid()))
			return nil
		},
	})
}
