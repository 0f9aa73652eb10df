package serve

import (
	"context"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// running is a node of a test.
type running struct {
	t      *testing.T
	addr   string
	cancel context.CancelFunc
	done   chan error
	end    sync.Once

	mu  sync.Mutex
	log []string
}

var listening = regexp.MustCompile(`msg=listening.* url=http://(\S+)`)

// run runs a node and returns its address.
func run(t *testing.T, o Options) string {
	t.Helper()
	return start(t, o).addr
}

// start runs a node until the end of the test, or until stop.
func start(t *testing.T, o Options) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	n := &running{t: t, cancel: cancel, done: make(chan error, 1)}
	ready := make(chan struct{})
	o.Listen = "127.0.0.1:0"
	o.Logger = slog.New(slog.NewTextHandler(writer(func(line string) {
		if n.note(line); strings.Contains(line, "msg=ready") {
			close(ready)
		}
	}), nil))
	go func() { n.done <- Run(ctx, o) }()
	t.Cleanup(n.stop)
	select {
	case <-ready:
	case err := <-n.done:
		n.done <- nil
		t.Fatalf("Run: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("the node is not ready after a minute")
	}
	for _, line := range n.lines() {
		if m := listening.FindStringSubmatch(line); m != nil {
			n.addr = m[1]
		}
	}
	return n
}

// stop ends the node and waits for it.
func (n *running) stop() {
	n.end.Do(func() {
		n.cancel()
		if err := <-n.done; err != nil {
			n.t.Errorf("Run: %v", err)
		}
	})
}

func (n *running) note(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = append(n.log, line)
}

func (n *running) lines() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.log...)
}
