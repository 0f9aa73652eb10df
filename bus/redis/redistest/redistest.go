//go:build unix

// Package redistest runs Redis servers for tests: real processes, each on a free
// port of the loopback interface and in a folder of its own, ended with the test.
package redistest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a redis-server process.
type Server struct {
	t    testing.TB
	args []string
	port string
	dir  string

	mu  sync.Mutex
	cmd *exec.Cmd // nil while it does not run
}

// Start runs redis-server with further arguments, "--appendonly yes". Without
// any it keeps nothing on disk. If there is no redis-server the test is skipped,
// or fails if BELFRY_REQUIRE is "all".
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	requireBinary(t, "redis-server")
	s := &Server{t: t, args: args, port: FreePort(t), dir: t.TempDir()}
	t.Cleanup(s.Kill)
	s.Run()
	return s
}

func requireBinary(t testing.TB, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err == nil {
		return
	}
	if os.Getenv("BELFRY_REQUIRE") == "all" {
		t.Fatalf("%s is not installed, and BELFRY_REQUIRE is all", name)
	}
	t.Skipf("%s is not installed", name)
}

// FreePort returns a port that nothing listens at. It is not one of those that
// systems give to connections, and no other test gets it until this one has ended: it
// stays free while its server is away.
func FreePort(t testing.TB) string {
	t.Helper()
	for range 100 {
		port, err := Port()
		if err != nil {
			t.Fatal(err)
		}
		claim, err := net.ListenPacket("udp", net.JoinHostPort("127.0.0.1", port)) // in nobody's way but the next claim's
		if err == nil {
			t.Cleanup(func() { _ = claim.Close() })
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// Port is FreePort for what is no test.
func Port() (string, error) {
	for range 100 {
		port := strconv.Itoa(20_000 + rand.IntN(12_000)) //nolint:gosec // guards nothing
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port)); err == nil {
			return port, l.Close()
		}
	}
	return "", errors.New("no port is free")
}

// Addr is host and port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", s.port) }

// URL is what a client connects to.
func (s *Server) URL() string { return "redis://" + s.Addr() }

// Run starts the process again after Kill or Stop, on the same port and folder.
// It returns when the server answers.
func (s *Server) Run() {
	s.t.Helper()
	args := append([]string{
		"--port", s.port, "--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--daemonize", "no",
	}, s.args...)
	s.start(exec.Command("redis-server", args...))
}

func (s *Server) start(cmd *exec.Cmd) {
	s.t.Helper()
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	s.cmd = cmd
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for {
		if answer, err := s.Ask(ctx, "PING"); err == nil && answer == "+PONG" {
			return
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			out, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			s.t.Fatalf("redis does not answer:\n%s", out)
		}
	}
}

// Ask sends one command over a connection of its own and returns the text of the
// answer, or of anything else the first line, as it is on the wire.
func (s *Server) Ask(ctx context.Context, words ...string) (string, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", s.Addr())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	if _, err := conn.Write([]byte(b.String())); err != nil {
		return "", err
	}
	r := bufio.NewReader(conn)
	line, err := r.ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	if n, isText := strings.CutPrefix(line, "$"); isText && err == nil && n != "-1" {
		length, _ := strconv.Atoi(n)
		text := make([]byte, length)
		_, err = io.ReadFull(r, text)
		return string(text), err
	}
	return line, err
}

// Must is Ask that fails the test on an error.
func (s *Server) Must(words ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := s.Ask(ctx, words...)
	if err != nil || strings.HasPrefix(answer, "-") {
		s.t.Fatalf("redis: %v: %s %v", words, answer, err)
	}
	return answer
}

// Calls returns how often a command was called since CONFIG RESETSTAT, within
// scripts too.
func (s *Server) Calls(command string) int {
	s.t.Helper()
	var n int
	_, _ = fmt.Sscanf(s.info("commandstats", "cmdstat_"+command+":"), "calls=%d", &n) // 0: never
	return n
}

// OutputBytes returns what was sent to clients since CONFIG RESETSTAT.
func (s *Server) OutputBytes() int {
	s.t.Helper()
	var n int
	_, _ = fmt.Sscan(s.info("stats", "total_net_output_bytes:"), &n)
	return n
}

// CPU returns the processor time that the server has taken.
func (s *Server) CPU() time.Duration {
	s.t.Helper()
	var user, system float64
	_, _ = fmt.Sscan(s.info("cpu", "used_cpu_user:"), &user)
	_, _ = fmt.Sscan(s.info("cpu", "used_cpu_sys:"), &system)
	return time.Duration((user + system) * float64(time.Second))
}

// info returns what follows the name in a section of INFO, "" if it is not there.
func (s *Server) info(section, name string) string {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := fmt.Fprintf(conn, "INFO %s\r\nQUIT\r\n", section); err != nil {
		s.t.Fatal(err)
	}
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		if after, ok := strings.CutPrefix(lines.Text(), name); ok {
			return after
		}
	}
	return ""
}

// Signal sends a signal to the process, SIGSTOP and SIGCONT for a pause.
func (s *Server) Signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(sig)
	}
}

// Kill ends the process at once and waits for its end.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Stop lets the process end by itself and waits for its end.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

func (s *Server) end(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(sig)
	_ = s.cmd.Process.Signal(syscall.SIGCONT)
	_ = s.cmd.Wait()
	s.cmd = nil
}
