// Package inbox queues what a connection received until its handlers have run:
// one at a time, in order, on a goroutine that exists only while there is
// something to do.
package inbox

import "sync"

// Owner is the connection that an Inbox belongs to. No method is called with a
// lock held.
type Owner[T any] interface {
	// Run handles one item. One call at a time, in the order of Push. It may
	// block: only this owner waits.
	Run(item T)
	// Drained follows an AwaitDrained that returned true, once.
	Drained()
	// Panicked reports a panic of Run; the next item runs after it.
	Panicked(value any, stack []byte)
}

// Options bounds each inbox of a Group.
type Options struct {
	MaxItems int // default 256
	MaxBytes int // default 1 MiB
}

// Group is what many inboxes share: limits, spare queues.
type Group[T any] struct{ options Options }

// NewGroup returns a Group.
func NewGroup[T any](o Options) *Group[T] { return &Group[T]{options: o} }

// Inbox is one connection's queue. The zero value is empty and open; idle it
// holds no memory but its own 24 bytes. Safe for concurrent use. All calls on
// one Inbox pass the same group and owner.
type Inbox[T any] struct {
	mu     sync.Mutex
	closed bool
}

// Push appends item, which counts size bytes. full says that a limit is
// reached: the owner stops reading, then calls AwaitDrained. The item is taken
// in any case, except after Close.
//
//	if in.Push(group, c, item, n) {
//		conn.PauseRead()
//		if !in.AwaitDrained() {
//			conn.ResumeRead()
//		}
//	}
func (b *Inbox[T]) Push(g *Group[T], o Owner[T], item T, size int) (full bool) { return false }

// AwaitDrained asks for one call of Drained as soon as the inbox is below half
// of both limits. It returns false, and nothing is called, if that is so now.
func (b *Inbox[T]) AwaitDrained() bool { return false }

// Close appends last, whatever the limits say, and drops what is pushed later.
// What was pushed before still runs. Only the first call counts.
func (b *Inbox[T]) Close(g *Group[T], o Owner[T], last T) {}
