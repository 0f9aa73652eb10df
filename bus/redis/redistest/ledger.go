//go:build unix

package redistest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Ledger is a node that notes the id of every message, and of every loss that it
// is told.
type Ledger struct {
	id belfry.NodeID

	mu      sync.Mutex
	got     []string
	rooms   map[string][]string // by room, "" for the namespace
	counts  map[string]int
	losses  []error
	changed chan struct{}
}

// NewLedger returns a node with this id.
func NewLedger(id belfry.NodeID) *Ledger {
	return &Ledger{id: id, counts: map[string]int{}, rooms: map[string][]string{}, changed: make(chan struct{})}
}

// ID implements belfry.Node.
func (n *Ledger) ID() belfry.NodeID { return n.id }

// Deliver implements belfry.Node.
func (n *Ledger) Deliver(m *belfry.Message) {
	n.mu.Lock()
	defer n.mu.Unlock()
	id := string(m.Data)
	n.got = append(n.got, id)
	n.counts[id]++
	key := ""
	if len(m.Target.Rooms) > 0 {
		key = string(m.Target.Rooms[0])
	}
	n.rooms[key] = append(n.rooms[key], id)
	close(n.changed)
	n.changed = make(chan struct{})
}

// Replied implements belfry.Node.
func (n *Ledger) Replied(*belfry.Reply) {}

// Lost implements belfry.LossWatcher.
func (n *Ledger) Lost(reason error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.losses = append(n.losses, reason)
	close(n.changed)
	n.changed = make(chan struct{})
}

// until waits for a condition that is asked under n.mu.
func (n *Ledger) until(ctx context.Context, done func() bool) error {
	for {
		n.mu.Lock()
		ok, changed := done(), n.changed
		n.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("node %s waits: %w", n.id, ctx.Err())
		}
	}
}

// Await waits for a message with this id.
func (n *Ledger) Await(ctx context.Context, id string) error {
	return n.until(ctx, func() bool { return n.counts[id] > 0 })
}

// AwaitLoss waits until the node is told of a loss.
func (n *Ledger) AwaitLoss(ctx context.Context) error {
	return n.until(ctx, func() bool { return len(n.losses) > 0 })
}

// Losses returns what the node was told.
func (n *Ledger) Losses() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return errors.Join(n.losses...)
}

// Got returns the ids of all messages, in the order in which they came.
func (n *Ledger) Got() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.got)
}

// Expect waits for the last of the ids and compares all.
func (n *Ledger) Expect(t testing.TB, ids ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := n.Await(ctx, ids[len(ids)-1]); err != nil {
		t.Fatal(err)
	}
	if got := n.Got(); !slices.Equal(got, ids) {
		t.Errorf("node %s got %v, want %v", n.id, got, ids)
	}
}
