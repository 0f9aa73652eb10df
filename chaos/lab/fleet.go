package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/seed-09a96375/belfry/internal/child"
)

// Client is one client of a Fleet.
type Client struct {
	Rooms      []string `json:"rooms"`
	Transports []string `json:"transports"`
}

// Status is what a Fleet says of itself.
type Status struct{ Connected, Joined, Received, Acked, Finished int }

// Fleet is a Node.js process with many official clients.
type Fleet struct {
	// Log is the file that the clients write.
	Log string

	cmd   *exec.Cmd
	stdin io.WriteCloser
	end   chan struct{}

	mu      sync.Mutex
	status  Status
	changed chan struct{} // closed at the next status
}

// StartFleet runs script with clients that connect to url.
func StartFleet(dir, script, url string, clients []Client) (*Fleet, error) {
	return StartScript(dir, script, map[string]any{"url": url, "clients": clients})
}

// StartScript runs a script of clients: it is told a plan and a log, says how far it
// is, and ends with its standard input.
func StartScript(dir, script string, plan any) (*Fleet, error) {
	text, err := json.Marshal(plan)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "plan.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	f := &Fleet{Log: filepath.Join(dir, "clients.txt"), end: make(chan struct{}), changed: make(chan struct{})}
	f.cmd = exec.Command("node", script, file, f.Log)
	child.Bind(f.cmd)
	f.cmd.Stderr = os.Stderr
	if f.stdin, err = f.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := f.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := f.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start clients: %w", err)
	}
	go f.read(out)
	return f, nil
}

func (f *Fleet) read(out io.Reader) {
	defer close(f.end)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var s Status
		if json.Unmarshal(lines.Bytes(), &s) != nil {
			continue
		}
		f.mu.Lock()
		f.status = s
		close(f.changed)
		f.changed = make(chan struct{})
		f.mu.Unlock()
	}
	_ = f.cmd.Wait()
}

// Status returns the last status, and a channel that is closed at the next.
func (f *Fleet) Status() (Status, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status, f.changed
}

// Until waits for a status.
func (f *Fleet) Until(ctx context.Context, holds func(Status) bool) error {
	for {
		s, changed := f.Status()
		if holds(s) {
			return nil
		}
		select {
		case <-changed:
		case <-f.end:
			return fmt.Errorf("the clients have ended, at %+v", s)
		case <-ctx.Done():
			return fmt.Errorf("the clients are at %+v: %w", s, ctx.Err())
		}
	}
}

// Enough tells clients that go on until they are told so.
func (f *Fleet) Enough() error {
	_, err := io.WriteString(f.stdin, "enough\n")
	return err
}

// Close lets the clients write what they have, and ends them.
func (f *Fleet) Close() {
	f.stdin.Close()
	<-f.end
}
