// Package node_test checks the peers that Belfry is compared with: each serves
// the contract of `belfry bench`, loses nothing, and can be measured.
package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// needed skips a test for want of something, or fails it where nothing may be
// missing.
func needed(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("BELFRY_REQUIRE") == "all" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// build compiles a Go program and returns its path.
func build(t *testing.T, dir, pkg string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), filepath.Base(pkg))
	cmd := exec.Command("go", "build", "-o", out, pkg)
	cmd.Dir = dir
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, msg)
	}
	return out
}

// serve starts a peer on a free port and returns its URL and process id once it
// accepts connections.
func serve(t *testing.T, command func(addr, port string) *exec.Cmd) (url string, pid int) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(addr)
	cmd := command(addr, port)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the peer ended: %v\n%s", err, log.Bytes())
		}
	})
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for range 1000 {
		if c, err := net.Dial("tcp4", addr); err == nil {
			c.Close()
			return "http://" + addr, cmd.Process.Pid
		}
		<-retry.C
	}
	t.Fatal("the peer does not accept connections")
	return "", 0
}

// summary is what these tests read of the summary of `belfry bench`.
type summary struct {
	Connect struct{ Clients int }
	Traffic struct {
		Deliveries uint64
		ServerCPU  *float64 `json:"server_cpu"`
	}
	Check struct {
		Expected, Received, Lost, Duplicated, Misrouted, Corrupt, Disconnected uint64
		OutOfOrder                                                             uint64 `json:"out_of_order"`
	}
	Memory struct{ End int64 }
}

func bench(t *testing.T, program string, args ...string) summary {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append([]string{"bench"}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, stderr.Bytes())
	}
	var s summary
	if err := json.Unmarshal(stdout.Bytes(), &s); err != nil {
		t.Fatalf("summary: %v\n%s", err, stdout.Bytes())
	}
	return s
}

// TestPeersServeTheContract runs every mode against every peer, briefly.
func TestPeersServeTheContract(t *testing.T) {
	belfry := build(t, "../..", "./cmd/belfry")
	for _, peer := range []struct {
		name, protocol string
		command        func(t *testing.T) func(addr, port string) *exec.Cmd
	}{
		{"node-ws", "socketio", func(t *testing.T) func(addr, port string) *exec.Cmd { return node(t, "ws") }},
		{"node-eiows", "socketio", func(t *testing.T) func(addr, port string) *exec.Cmd { return node(t, "eiows") }},
		{"centrifuge", "centrifuge", func(t *testing.T) func(addr, port string) *exec.Cmd {
			program := build(t, "..", "./centrifuge")
			return func(addr, _ string) *exec.Cmd { return exec.Command(program, "-listen", addr) }
		}},
	} {
		t.Run(peer.name, func(t *testing.T) {
			url, pid := serve(t, peer.command(t))
			for _, mode := range []string{"fanout", "rooms", "echo"} {
				t.Run(mode, func(t *testing.T) {
					s := bench(t, belfry, mode, "--url", url, "--protocol", peer.protocol, "--pid", fmt.Sprint(pid),
						"--clients", "40", "--duration", "500ms", "--warmup", "100ms", "--json", "-")
					verify(t, s)
				})
			}
		})
	}
}

func verify(t *testing.T, s summary) {
	t.Helper()
	c := s.Check
	if c.Expected == 0 || c.Received != c.Expected || c.Lost+c.Duplicated+c.OutOfOrder+c.Misrouted+c.Corrupt+c.Disconnected != 0 {
		t.Errorf("the checker found %+v", c)
	}
	if s.Connect.Clients != 40 || s.Traffic.Deliveries == 0 || s.Traffic.ServerCPU == nil || *s.Traffic.ServerCPU <= 0 || s.Memory.End <= 0 {
		t.Errorf("not measured: %+v", s)
	}
}

// node returns the command of server.js with an engine, if it is installed.
func node(t *testing.T, engine string) func(addr, port string) *exec.Cmd {
	t.Helper()
	installed := map[string]string{"node_modules/socket.io": "npm ci"}
	if engine == "eiows" {
		installed["eiows/node_modules/eiows/build/Release"] = "eiows/build.sh"
	}
	for dir, how := range installed {
		if _, err := os.Stat(dir); err != nil {
			needed(t, "%s is missing: run %s in interop/node", dir, how)
		}
	}
	program, err := exec.LookPath("node")
	if err != nil {
		needed(t, "no node: %v", err)
	}
	return func(_, port string) *exec.Cmd {
		return exec.Command(program, "server.js", "--port", port, "--engine", engine)
	}
}
