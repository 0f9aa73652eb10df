//go:build unix

package main_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a running command.
type process struct {
	t    testing.TB
	cmd  *exec.Cmd
	url  string // where it listens
	over chan struct{}

	mu    sync.Mutex
	log   bytes.Buffer
	grown chan struct{} // closed when log grows, or has ended
}

// launch starts the command. It is killed at the end of the test if it still runs.
func launch(t testing.TB, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(program, args...), over: make(chan struct{}), grown: make(chan struct{})}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout, p.cmd.Stderr = w, w
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	go p.read(r)
	t.Cleanup(func() {
		p.signal(syscall.SIGKILL)
		p.signal(syscall.SIGCONT)
		<-p.over
		if strings.Contains(p.text(), "DATA RACE") || strings.Contains(p.text(), "panic:") {
			t.Error("the process has a race, or panicked")
		}
		if t.Failed() {
			t.Logf("%v:\n%s", args, p.text())
		}
	})
	return p
}

// serve starts a node and waits until it is ready.
func serve(t testing.TB, args ...string) *process {
	t.Helper()
	p := launch(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--log-level", "debug"}, args...)...)
	p.listening()
	p.waitFor(`msg=ready `)
	return p
}

// listening waits for the address.
func (p *process) listening() {
	p.t.Helper()
	p.url = p.waitFor(`http://[\d.]+:\d+`)
}

func (p *process) read(r *os.File) {
	defer close(p.over)
	defer r.Close()
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		p.mu.Lock()
		p.log.Write(line)
		close(p.grown)
		p.grown = make(chan struct{})
		p.mu.Unlock()
		if err != nil {
			_ = p.cmd.Wait() // exit looks at how it ended
			return
		}
	}
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// waitFor returns what in the output fits the pattern first.
func (p *process) waitFor(pattern string) string {
	p.t.Helper()
	re, late := regexp.MustCompile(pattern), time.After(patience)
	for {
		p.mu.Lock()
		found, grown := re.FindString(p.log.String()), p.grown
		p.mu.Unlock()
		if found != "" {
			return found
		}
		select {
		case <-grown:
		case <-p.over:
			if re.FindString(p.text()) == "" {
				p.t.Fatalf("the process ended without %s", pattern)
			}
		case <-late:
			p.t.Fatalf("no %s after %v", pattern, patience)
		}
	}
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

func (p *process) running() bool {
	select {
	case <-p.over:
		return false
	default:
		return true
	}
}

// exit waits for the end and tells how it was: "exit status 0", "signal: killed".
func (p *process) exit() string {
	p.t.Helper()
	select {
	case <-p.over:
		return p.cmd.ProcessState.String()
	case <-time.After(patience):
		p.t.Fatalf("the process still runs after %v", patience)
		return ""
	}
}
