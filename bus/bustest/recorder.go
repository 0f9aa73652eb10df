package bustest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/seed-09a96375/belfry"
)

// recorder is a node that notes all it hears, and every breach of the contract
// that it can see by itself.
type recorder struct {
	id belfry.NodeID

	mu        sync.Mutex
	onDeliver func(*belfry.Message) // runs within Deliver
	got       []*belfry.Message     // in the order in which Deliver ended
	counts    map[string]int        // of got, by id
	replies   []*belfry.Reply
	changed   chan struct{}  // closed at the next change
	inside    map[string]int // Delivers that run, by what orders them
	running   int            // calls that run
	closed    bool
	faults    []error
}

func newRecorder(id belfry.NodeID) *recorder {
	return &recorder{id: id, counts: map[string]int{}, changed: make(chan struct{}), inside: map[string]int{}}
}

// ID implements belfry.Node.
func (r *recorder) ID() belfry.NodeID { return r.id }

// Deliver implements belfry.Node.
func (r *recorder) Deliver(m *belfry.Message) {
	hook := r.begin(m)
	if hook != nil {
		hook(m)
	}
	runtime.Gosched() // gives a bus that delivers two at a time the chance
	r.end(m)
}

func (r *recorder) begin(m *belfry.Message) func(*belfry.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running++
	if r.closed {
		r.faults = append(r.faults, fmt.Errorf("Deliver of %s after Close returned", idOf(m)))
	}
	for _, key := range turnsOf(m) {
		if r.inside[key] > 0 {
			r.faults = append(r.faults, fmt.Errorf("Deliver of %s during another of %q", idOf(m), key))
		}
		r.inside[key]++
	}
	return r.onDeliver
}

func (r *recorder) end(m *belfry.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running--
	for _, key := range turnsOf(m) {
		r.inside[key]--
	}
	r.got = append(r.got, m)
	r.counts[idOf(m)]++
	r.change()
}

// turnsOf returns what only one Deliver at a time may be about.
func turnsOf(m *belfry.Message) []string {
	keys := orders(m)
	slices.Sort(keys)
	keys = slices.Compact(keys)
	if m.Offset != "" {
		keys = append(keys, "the log")
	}
	return keys
}

// Replied implements belfry.Node.
func (r *recorder) Replied(reply *belfry.Reply) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		r.faults = append(r.faults, fmt.Errorf("Replied to request %d after Close returned", reply.Request))
	}
	r.replies = append(r.replies, reply)
	r.change()
}

// change wakes all that wait. The caller holds r.mu.
func (r *recorder) change() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// until waits for what, a condition on the recorder that is asked under r.mu.
func (r *recorder) until(ctx context.Context, what string, done func() bool) error {
	for {
		r.mu.Lock()
		ok, changed := done(), r.changed
		r.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("node %s waited in vain for %s: %w", r.id, what, ctx.Err())
		}
	}
}

// await waits until a message with this id was delivered.
func (r *recorder) await(ctx context.Context, id string) error {
	return r.until(ctx, id, func() bool { return r.counts[id] > 0 })
}

func (r *recorder) count(id string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts[id]
}

// trace returns what was delivered so far, in order.
func (r *recorder) trace() []*belfry.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *recorder) answers() []*belfry.Reply {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.replies)
}

// during sets what runs within Deliver.
func (r *recorder) during(f func(*belfry.Message)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onDeliver = f
}

func (r *recorder) markClosed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.running > 0 {
		r.faults = append(r.faults, fmt.Errorf("%d calls still run after Close returned", r.running))
	}
}

func (r *recorder) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

func (r *recorder) fault() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.faults[:min(len(r.faults), 3)]...)
}
