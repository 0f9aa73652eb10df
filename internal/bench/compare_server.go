package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry/internal/bench/dialect"
)

const (
	// startTime is how long a server may take until it accepts connections.
	startTime = 30 * time.Second
	// stopTime is how long a server may take to end when asked to.
	stopTime = 10 * time.Second
)

// contestant is a server to compare.
type contestant struct {
	name     string
	command  string
	protocol dialect.Name
}

// parseContestant reads name=command.
func parseContestant(s string) (contestant, error) {
	name, command, ok := strings.Cut(s, "=")
	switch {
	case !ok || name == "" || command == "":
		return contestant{}, fmt.Errorf("server %q: want name=command", s)
	case name == floorName:
		return contestant{}, fmt.Errorf("server %q: the name is taken", s)
	case !strings.Contains(command, "{addr}") && !strings.Contains(command, "{port}"):
		return contestant{}, fmt.Errorf("server %q: want {addr} or {port} in the command", s)
	}
	return contestant{name: name, command: command}, nil
}

// upServer is a server that runs.
type upServer struct {
	cmd   *exec.Cmd
	addr  string
	ended chan struct{}
	err   error // of Wait, once ended is closed
	log   tail
}

// start starts one process of the server on a free port and waits until it
// accepts connections. redis is the URL of the Redis that it is to use.
func (c contestant) start(ctx context.Context, redis string) (*upServer, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(addr)
	line := strings.NewReplacer("{addr}", addr, "{port}", port, redisWord, redis).Replace(c.command)
	s := &upServer{addr: addr, ended: make(chan struct{})}
	s.cmd = exec.Command("/bin/sh", "-c", "exec "+line)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	detach(s.cmd)
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start server: %w", err)
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	if err := s.await(ctx); err != nil {
		s.stop()
		return nil, fmt.Errorf("start server: %w%s", err, s.lastWords())
	}
	return s, nil
}

// freeAddr returns an address of 127.0.0.1 that nobody listens on just now.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// await waits until the server accepts connections.
func (s *upServer) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		c, err := net.Dial("tcp4", s.addr)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it does not accept connections: %w", ctx.Err())
		case <-s.ended:
			return fmt.Errorf("it ended: %w", errors.Join(s.err, err))
		case <-retry.C:
		}
	}
}

func (s *upServer) pid() int { return s.cmd.Process.Pid }

// stop ends the server and what it started: politely, then not.
func (s *upServer) stop() {
	terminate(s.cmd.Process.Pid)
	select {
	case <-s.ended:
	case <-time.After(stopTime):
	}
	kill(s.cmd.Process.Pid) // also what the server left behind
	<-s.ended
}

// lastWords returns what the server wrote last, for an error message.
func (s *upServer) lastWords() string {
	if w := s.log.String(); w != "" {
		return "\nthe server at " + s.addr + " wrote: " + w
	}
	return ""
}

// tail keeps the end of what is written to it. Safe for concurrent use.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	const keep = 2048
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	t.b = t.b[max(len(t.b)-keep, 0):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.b))
}
