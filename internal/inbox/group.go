package inbox

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// Options bounds each inbox of a Group.
type Options struct {
	// MaxItems is the number of items, waiting or running, from which on an
	// inbox is full. Default 256.
	MaxItems int
	// MaxBytes is the same in bytes, as counted by Push. Default 1 MiB.
	MaxBytes int
}

func (o Options) withDefaults() Options {
	if o.MaxItems == 0 {
		o.MaxItems = 256
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 1 << 20
	}
	return o
}

// Validate names the first option that cannot work.
func (o Options) Validate() error {
	if o.MaxItems < 0 {
		return errors.New("inbox: Options.MaxItems must not be negative")
	}
	if o.MaxBytes < 0 {
		return errors.New("inbox: Options.MaxBytes must not be negative")
	}
	return nil
}

// Group is what many inboxes share: their limits, their workers, spare queues.
// Safe for concurrent use.
type Group[T any] struct {
	options Options
	spare   sync.Pool // *queue[T]
	busy    atomic.Int64

	mu      sync.Mutex
	waiting []chan struct{} // closed when busy reaches 0
}

// NewGroup returns a Group whose inboxes are bounded by o.
func NewGroup[T any](o Options) *Group[T] { return &Group[T]{options: o.withDefaults()} }

// Busy returns the number of inboxes in which something waits or runs: there
// are as many workers.
func (g *Group[T]) Busy() int { return int(g.busy.Load()) }

// Wait returns when nothing waits or runs in any inbox, or with the error of
// ctx. Close the inboxes first: Wait does not keep others from pushing.
func (g *Group[T]) Wait(ctx context.Context) error {
	idle := g.idle()
	if idle == nil {
		return nil
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// idle returns nil if nothing waits or runs, else a channel that is closed as
// soon as it is so.
func (g *Group[T]) idle() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.busy.Load() == 0 {
		return nil
	}
	c := make(chan struct{})
	g.waiting = append(g.waiting, c)
	return c
}

// open starts a worker for b, which has nothing to do before b.mu is free.
//
// A goroutine of its own is as cheap as the handover to one that waits in
// reserve (BenchmarkStart), and leaves no reserve to size and to end.
func (g *Group[T]) open(b *Inbox[T], o Owner[T]) *queue[T] {
	q, _ := g.spare.Get().(*queue[T])
	if q == nil {
		q = &queue[T]{group: g}
		q.work = q.run
	}
	q.inbox, q.owner = b, o
	g.busy.Add(1)
	go q.work()
	return q
}

// close ends a worker. Its queue is empty and no inbox has it any more.
func (g *Group[T]) close(q *queue[T]) {
	q.inbox, q.owner = nil, nil
	if cap(q.entries) > spareEntries {
		q.entries = nil
	}
	g.spare.Put(q)
	if g.busy.Add(-1) == 0 {
		g.wake()
	}
}

func (g *Group[T]) wake() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.busy.Load() != 0 {
		return // busy again: a later one wakes
	}
	for _, c := range g.waiting {
		close(c)
	}
	g.waiting = nil
}
