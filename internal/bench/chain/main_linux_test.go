package chain

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/internal/bench"
	"github.com/seed-09a96375/belfry/internal/bench/proc"
	"github.com/seed-09a96375/belfry/internal/child"
	"github.com/seed-09a96375/belfry/internal/cli"
	"github.com/seed-09a96375/belfry/internal/kafkatest"
)

var (
	length = flag.Duration("length", time.Second, "how long each figure is measured")
	rows   = flag.Int("rows", 2000, "messages that are archived, or read from a stream")
	away   = flag.Duration("away", time.Second, "how long PostgreSQL is away")
	bed    kafkatest.Bed
)

// programEnv names the belfry that is measured; by default it is this program.
const programEnv = "BELFRY_BENCH_PROGRAM"

// withBroker ends the broker after the tests.
type withBroker struct{ *testing.M }

func (m withBroker) Run() int {
	defer bed.Close()
	return m.M.Run()
}

func TestMain(m *testing.M) {
	testscript.Main(withBroker{m}, map[string]func(){"belfry": func() { os.Exit(cli.Run()) }})
}

// patience is for a slow machine.
const patience = 2 * time.Minute

// until waits for a condition.
func until(b testing.TB, what string, f func() bool) {
	b.Helper()
	for end := time.Now().Add(patience); !f(); {
		if time.Now().After(end) {
			b.Fatalf("never: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func must(b testing.TB, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// belfry starts a belfry that ends with b. What it says is shown if b fails.
func belfry(b testing.TB, args ...string) (pid int) {
	b.Helper()
	cmd := exec.Command(cmp.Or(os.Getenv(programEnv), "belfry"), args...) //nolint:gosec // what is measured
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	child.Bind(cmd)
	must(b, cmd.Start())
	b.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if b.Failed() {
			b.Logf("belfry %v: %s", args, said.String())
		}
	})
	return cmd.Process.Pid
}

// node is a `belfry serve`.
type node struct {
	url string
	pid int
}

// serve starts a node with a configuration and returns when it is ready.
func serve(b testing.TB, configuration string) node {
	b.Helper()
	file := filepath.Join(b.TempDir(), "belfry.yaml")
	must(b, os.WriteFile(file, []byte(configuration), 0o600))
	addr := "127.0.0.1:" + redistest.FreePort(b)
	n := node{url: "http://" + addr}
	n.pid = belfry(b, "serve", "-c", file, "--listen", addr, "--open")
	until(b, "the node is ready", func() bool { return ready(n.url + "/healthz/ready") })
	return n
}

func ready(url string) bool {
	answer, err := http.Get(url) //nolint:gosec // of this test
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// clients runs `belfry bench` and returns its summary.
func clients(b testing.TB, args ...string) *bench.Result {
	b.Helper()
	cmd := exec.Command("belfry", append([]string{"bench"}, args...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	child.Bind(cmd)
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("belfry bench %v: %v\n%s", args, err, said.String())
	}
	r := new(bench.Result)
	must(b, json.Unmarshal(out, r))
	return r
}

// usage is what a process, with those that it started, has used and holds.
func usage(b testing.TB, pid int) (cpu time.Duration, rss int64) {
	b.Helper()
	s, err := proc.Take([]int{pid})
	must(b, err)
	for _, u := range s {
		cpu += time.Duration(u.CPU)
	}
	return cpu, s.RSS()
}

// busy is what all processes of the machine have used.
func busy(b testing.TB) time.Duration {
	b.Helper()
	n, err := proc.Busy()
	must(b, err)
	return time.Duration(n)
}
