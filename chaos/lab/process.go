// Package lab runs what faults are tried on, all of it real processes on the
// loopback interface:
//
//	clients ─ nginx ─ proxy 1 ─ node 1 ─ proxy 1' ─┐
//	                ├ proxy 2 ─ node 2 ─ proxy 2' ─┼ Redis
//	                └ proxy 3 ─ node 3 ─ proxy 3' ─┘
//
// Whoever starts something gets a function that ends it.
package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/seed-09a96375/belfry/internal/child"
)

// Process is a program that can be started again after its end.
type Process struct {
	name string
	argv []string
	log  string

	mu  sync.Mutex
	cmd *exec.Cmd     // nil before the first start
	end chan struct{} // closed when cmd has ended
}

// newProcess describes a process whose output goes to <dir>/<name>.log.
func newProcess(dir, name string, argv ...string) *Process {
	return &Process{name: name, argv: argv, log: filepath.Join(dir, name+".log")}
}

// Start runs the program.
func (p *Process) Start() error {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(p.argv[0], p.argv[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	child.Bind(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	end := make(chan struct{})
	go func() { _ = cmd.Wait(); close(end) }()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd, p.end = cmd, end
	return nil
}

// Signal sends a signal. A process that has ended gets none.
func (p *Process) Signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(s)
	}
}

// Kill ends the process at once and waits for its end.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	_ = p.Wait(context.Background())
}

// Stop asks the process to end, and kills it if it has not done so in time.
func (p *Process) Stop(patience time.Duration) error {
	p.Signal(syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.Wait(ctx); err != nil {
		p.Kill()
		return err
	}
	return nil
}

// Wait waits for the end of the process.
func (p *Process) Wait(ctx context.Context) error {
	p.mu.Lock()
	end := p.end
	p.mu.Unlock()
	if end == nil {
		return nil
	}
	select {
	case <-end:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s does not end: %w", p.name, ctx.Err())
	}
}

// until asks again and again until a condition holds.
func until(ctx context.Context, what string, holds func() error) error {
	for {
		err := holds()
		if err == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, err)
		}
	}
}
