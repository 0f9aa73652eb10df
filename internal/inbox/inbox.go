// Package inbox queues what a connection received until its handlers have run:
// one at a time, in order, on a goroutine that exists only while there is
// something to do. A handler that blocks holds up its own connection and no
// other.
//
//	Push ──► queue ──► Run, Run, …            a worker, gone when the queue is empty
//	  │full             │below half
//	  ▼                 ▼
//	owner stops reading  Drained: owner reads again
package inbox

import "sync"

// Owner is the connection that an Inbox belongs to. Its methods are called one
// at a time by the inbox's worker; no lock is held.
type Owner[T any] interface {
	// Run handles one item, in the order of Push. It may block.
	Run(item T)
	// Drained is called once after each AwaitDrained that returned true.
	Drained()
	// Panicked reports a panic of Run, with the stack from there. The next item
	// runs after it.
	Panicked(value any, stack []byte)
}

// Inbox is the queue of one connection. The zero value is empty and open. While
// nothing waits or runs it holds no memory but its own 24 bytes. Safe for
// concurrent use. All calls on one Inbox pass the same group and the same
// owner: so it need not remember them. Must not be copied once used.
type Inbox[T any] struct {
	mu     sync.Mutex
	queue  *queue[T] // nil: nothing waits or runs
	closed bool
}

// Push appends item, which counts size bytes until it has run. It never blocks.
// full says that a limit of the group is reached: the owner should stop reading
// and then call AwaitDrained. The item is taken nonetheless, so that one read
// may bring several; only after Close it is dropped.
//
//	if c.inbox.Push(group, c, item, n) {
//		c.conn.PauseRead()
//		if !c.inbox.AwaitDrained() {
//			c.conn.ResumeRead()
//		}
//	}
func (b *Inbox[T]) Push(g *Group[T], o Owner[T], item T, size int) (full bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	return b.put(g, o, item, size)
}

// AwaitDrained asks for a call of Drained as soon as the inbox is below half of
// both limits. It returns false, and nothing will be called, if it is so
// already: a worker may have run everything since Push returned.
func (b *Inbox[T]) AwaitDrained() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.queue == nil || b.queue.belowHalf() {
		return false
	}
	b.queue.awaited = true
	return true
}

// Close appends last, whatever the limits say, and makes Push drop everything
// from now on. What was pushed before still runs, then last, then nothing. Only
// the first call counts. Close does not wait.
func (b *Inbox[T]) Close(g *Group[T], o Owner[T], last T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.closed = true
	b.put(g, o, last, 0)
}

// put queues item and sees to it that a worker runs. The caller holds b.mu.
func (b *Inbox[T]) put(g *Group[T], o Owner[T], item T, size int) (full bool) {
	q := b.queue
	if q == nil {
		q = g.open(b, o)
		b.queue = q
	}
	q.push(item, size)
	return q.full()
}
