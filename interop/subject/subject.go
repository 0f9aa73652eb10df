// Package subject runs a server under test as a process of its own.
package subject

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Subject is a running contract server: see the README for what it serves.
type Subject struct {
	URLs map[string]string // profile name to base URL

	cmd    *exec.Cmd
	stdin  io.Closer
	stderr *buffer
	exited chan error
}

// Start runs the command and waits until it has printed where it listens. The
// caller stops it.
func Start(dir string, argv ...string) (*Subject, error) {
	s := &Subject{cmd: exec.Command(argv[0], argv[1:]...), stderr: &buffer{}, exited: make(chan error, 1)}
	s.cmd.Dir, s.cmd.Stderr = dir, s.stderr
	// A group of its own: an interrupt of the tests reaches the server as the
	// end of its input, after the tests have ended.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := s.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("open stdin: %w", err)
	}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("open stdout: %w", err)
	}
	s.stdin = stdin
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start server: %w", err)
	}
	if err := s.ready(stdout); err != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		return nil, fmt.Errorf("%w\n%s", err, s.stderr)
	}
	go func() { s.exited <- s.cmd.Wait() }()
	return s, nil
}

// ready reads the one line that the server prints.
func (s *Subject) ready(stdout io.Reader) error {
	line := make(chan []byte, 1)
	go func() {
		b, _ := bufio.NewReader(stdout).ReadBytes('\n')
		line <- b
	}()
	select {
	case b := <-line:
		if err := json.Unmarshal(b, &s.URLs); err != nil {
			return fmt.Errorf("read the server's first line %q: %w", b, err)
		}
		return nil
	case <-time.After(30 * time.Second):
		return errors.New("the server did not get ready within 30 s")
	}
}

// Pid is the process id of the server.
func (s *Subject) Pid() int { return s.cmd.Process.Pid }

// Stop ends the server's input, which ends the server, and returns what it wrote
// to its standard error. The error tells of a server that did not end well.
func (s *Subject) Stop() (stderr string, err error) {
	_ = s.stdin.Close()
	select {
	case err = <-s.exited:
	case <-time.After(20 * time.Second):
		_ = s.cmd.Process.Signal(syscall.SIGQUIT) // a Go server prints its goroutines
		err = errors.Join(errors.New("the server did not end within 20 s"), <-s.exited)
	}
	return s.stderr.String(), err
}

// buffer keeps what a process writes.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
