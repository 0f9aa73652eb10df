package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	// startTime is how long a Redis may take until it answers.
	startTime = 20 * time.Second
	// stopTime is how long a Redis may take to end when asked to.
	stopTime = 5 * time.Second
)

// ErrMissing: there is no redis-server to run.
var ErrMissing = errors.New("redis-server is not installed")

// Server is a redis-server process that keeps nothing on disk.
type Server struct {
	addr  string
	dir   string
	cmd   *exec.Cmd
	ended chan struct{}
}

// Start runs redis-server on a free port of 127.0.0.1 with an empty folder of
// its own, and returns when it answers. prepare, if not nil, changes how the
// process is started. ErrMissing if there is no redis-server.
func Start(ctx context.Context, prepare func(*exec.Cmd)) (*Server, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, ErrMissing
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "belfry-bench-redis-")
	if err != nil {
		return nil, err
	}
	s := &Server{addr: net.JoinHostPort("127.0.0.1", port), dir: dir, ended: make(chan struct{})}
	s.cmd = exec.Command(program, "--port", port, "--bind", "127.0.0.1", "--dir", dir,
		"--save", "", "--appendonly", "no", "--logfile", s.log())
	if prepare != nil {
		prepare(s.cmd)
	}
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start redis-server: %w", err), os.RemoveAll(dir))
	}
	go func() {
		_ = s.cmd.Wait() // how it ended is in its log
		close(s.ended)
	}()
	if err := s.await(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start redis-server: %w%s", err, s.lastWords()), s.Stop())
	}
	return s, nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// await waits until the server answers.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for {
		err := ask(ctx, s.addr)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-s.ended:
			return fmt.Errorf("it ended: %w", err)
		case <-retry.C:
		}
	}
}

func ask(ctx context.Context, addr string) error {
	c, err := Dial(ctx, addr)
	if err != nil {
		return err
	}
	_, err = c.Do("PING")
	return errors.Join(err, c.Close())
}

// Addr is host and port.
func (s *Server) Addr() string { return s.addr }

// URL is what servers connect to.
func (s *Server) URL() string { return "redis://" + s.addr }

// PID is the process.
func (s *Server) PID() int { return s.cmd.Process.Pid }

func (s *Server) log() string { return filepath.Join(s.dir, "log") }

// lastWords returns what the server wrote last, for an error message.
func (s *Server) lastWords() string {
	const keep = 1024
	b, err := os.ReadFile(s.log())
	if err != nil || len(b) == 0 {
		return ""
	}
	return "\nredis-server wrote: " + strings.TrimSpace(string(b[max(len(b)-keep, 0):]))
}

// Stop ends the server and removes its folder.
func (s *Server) Stop() error {
	// Whoever has ended already needs no signal.
	_ = s.cmd.Process.Signal(os.Interrupt)
	select {
	case <-s.ended:
	case <-time.After(stopTime):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
	return os.RemoveAll(s.dir)
}
