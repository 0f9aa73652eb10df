//go:build unix

// Package postgrestest runs PostgreSQL servers for tests: real processes, each with a
// folder of its own and a free port of the loopback interface, ended with the test.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/internal/child"
)

// Server is a PostgreSQL server.
type Server struct {
	port string
	dir  string
	as   *account // who runs it
	bin  string
	args []string

	databases atomic.Int64

	mu    sync.Mutex
	cmd   *exec.Cmd       // nil while it does not run
	ended <-chan struct{} // closed at the end of cmd
}

// Start makes a new server and runs it, until the test ends. settings are those of New.
// If PostgreSQL is not installed the test is skipped, or fails if BELFRY_REQUIRE is
// "all".
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	if _, err := binaries(); err != nil {
		missing(t, err)
	}
	if _, err := serverAccount(); err != nil {
		missing(t, err)
	}
	s, err := New(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.Run(t)
	return s
}

func missing(t testing.TB, what error) {
	t.Helper()
	if os.Getenv("BELFRY_REQUIRE") == "all" {
		t.Fatalf("%v, and BELFRY_REQUIRE is all", what)
	}
	t.Skip(what)
}

// New makes a server that does not run yet, with its data among the temporary files,
// where its account may be. settings are further ones, "wal_level=minimal". Nothing
// that it writes is flushed unless they say fsync=on: it survives Kill, but not a power
// cut. Whoever has it ends it with Close.
func New(settings ...string) (s *Server, err error) {
	s = &Server{}
	if s.bin, err = binaries(); err != nil {
		return nil, err
	}
	if s.as, err = serverAccount(); err != nil {
		return nil, err
	}
	if s.port, err = redistest.Port(); err != nil {
		return nil, err
	}
	for _, setting := range append([]string{
		"port=" + s.port, "listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "full_page_writes=off",
		"max_connections=40", "shared_buffers=64MB", "log_min_messages=warning", "log_min_error_statement=panic",
	}, settings...) {
		s.args = append(s.args, "-c", setting)
	}
	if s.dir, err = os.MkdirTemp("", "belfry-postgres-"); err != nil {
		return nil, err
	}
	if err := errors.Join(s.as.own(s.dir), s.initialize()); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// binaries returns the folder of initdb and postgres: Debian keeps them off the path,
// by version.
func binaries() (string, error) {
	if found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); err == nil && len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	if found, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(found), nil
	}
	return "", errors.New("PostgreSQL is not installed (initdb)")
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) initialize() error {
	cmd := s.command("initdb", "-D", s.data(), "-U", "belfry", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	s.as.run(cmd)
	child.Bind(cmd)
	return cmd
}

// Addr is host and port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", s.port) }

// URL is what a client connects to: a database that all tests share.
func (s *Server) URL() string { return s.url("postgres") }

func (s *Server) url(database string) string {
	return "postgres://belfry@" + s.Addr() + "/" + database + "?sslmode=disable"
}

// Database makes a new, empty database and returns its URL.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", s.databases.Add(1))
	s.Exec(t, s.URL(), "CREATE DATABASE "+name)
	return s.url(name)
}

// Exec runs a statement in a database.
func (s *Server) Exec(t testing.TB, url, sql string, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// Run starts the server, again after Kill or Stop. It returns when it answers.
func (s *Server) Run(t testing.TB) {
	t.Helper()
	if err := s.Open(); err != nil {
		t.Fatal(err)
	}
}

// Open is Run for what is no test.
func (s *Server) Open() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		ended, err := s.start()
		if err != nil {
			return err
		}
		if err = s.await(ctx, ended); err == nil {
			return nil
		}
		if ctx.Err() != nil {
			out, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("PostgreSQL does not answer: %w\n%s", err, out)
		}
		s.Kill() // what is left of it: after a kill it may find a process that is not gone yet
	}
}

// start runs the process. ended is closed at its end.
func (s *Server) start() (ended <-chan struct{}, err error) {
	cmd := s.command("postgres", append([]string{"-D", s.data()}, s.args...)...)
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait()
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cmd, s.ended = cmd, done
	return done, nil
}

// await returns nil when the server answers; an error when it has ended, or ctx has.
func (s *Server) await(ctx context.Context, ended <-chan struct{}) error {
	for {
		err := s.ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ended:
			return errors.New("it ends")
		case <-ctx.Done():
			return err
		}
	}
}

func (s *Server) ping(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.URL())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	return conn.Ping(ctx)
}

// Kill ends the server at once, as a crash does, and waits for its end.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Stop lets the server end all connections and write what it has, and waits for its
// end.
func (s *Server) Stop() { s.end(syscall.SIGINT) }

// Close ends the server and removes its data.
func (s *Server) Close() {
	s.Kill()
	_ = os.RemoveAll(s.dir)
}

func (s *Server) end(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	children := childrenOf(s.cmd.Process.Pid)
	_ = s.cmd.Process.Signal(sig)
	if sig == syscall.SIGKILL {
		for _, pid := range children { // they notice by themselves, but later
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	<-s.ended
	s.cmd = nil
	if sig == syscall.SIGKILL {
		_ = os.Remove(filepath.Join(s.data(), "postmaster.pid"))
	}
}

// childrenOf returns the processes of a server; nil where there is no /proc.
func childrenOf(pid int) []int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil
	}
	var all []int
	for _, f := range strings.Fields(string(text)) {
		var child int
		if _, err := fmt.Sscan(f, &child); err == nil {
			all = append(all, child)
		}
	}
	return all
}
