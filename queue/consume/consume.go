// Package consume handles the events of a queue: concurrently, in the order of
// their keys, again after failures, until they are done with or dead letters. It
// knows nothing of where the queue is: a Store does.
//
// # Flow
//
//	Read ────┐                 ┌ the event before it with its key is done with
//	         ├ held (a place) ─┴ a free handler ─ handle ─┬ nil: Settle
//	Reclaim ─┘        ▲                                   ├ *PoisonError, or no try left: Bury
//	                  └──────────── back-off ─────────────┴ other errors
//
// Each held entry has a goroutine. Places bound them; handlers bound those that
// run. What is reclaimed has places of its own, and gives them back while it cannot
// go on: an entry that is not reclaimed yet may be what all the held ones wait for.
// Of what is read, entries of a busy key have places apart: they wait for each other,
// and entries of other keys behind them need not.
//
// All waiting is for entries that come earlier in the queue. So there is always one
// that waits for nothing.
//
// # Signs of life
//
// Three times in ReclaimAfter the store is told which entries are held, and which
// are to be taken over is looked at. An entry that another consumer has taken over
// meanwhile is given up: the context of its handler ends with ErrLost.
package consume

import (
	"context"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Handler is a belfry.Handler that can have more done in the store.
type Handler func(ctx context.Context, d *belfry.Delivery) (Result, error)

// Plain makes a Handler of a belfry.Handler.
func Plain(h belfry.Handler) Handler {
	return func(ctx context.Context, d *belfry.Delivery) (Result, error) {
		a, err := h(ctx, d)
		return Result{Answer: a}, err
	}
}

// Run handles what the store has until ctx ends, as belfry.Consumer says. o must
// come from Complete.
func Run(ctx context.Context, s Store, handle Handler, o belfry.ConsumeOptions) error {
	c := newConsumer(ctx, s, handle, o)
	defer c.end(nil)
	var loops sync.WaitGroup
	loops.Go(func() { c.read(ctx) })
	loops.Go(func() { c.reclaim(ctx) })
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var keeper sync.WaitGroup
	keeper.Go(func() { c.keep(keeping) })

	loops.Wait() // when ctx has ended
	patience := time.AfterFunc(o.StopTimeout, func() { c.end(ErrStopped) })
	defer patience.Stop()
	c.items.Wait()
	stop()
	keeper.Wait()
	c.release()
	return nil
}

// consumer is the state of one Run.
type consumer struct {
	store  Store
	handle Handler
	o      belfry.ConsumeOptions

	stopping context.Context         // the caller's: what has not begun is left alone once it ends
	life     context.Context         // that of handlers
	end      context.CancelCauseFunc // ends life

	places chan struct{} // one for each entry that was read and is held
	spare  chan struct{} // one for each that was reclaimed and can go on
	crowd  chan struct{} // one for each that was read and waits in the crowd of its key

	handlers *slots

	mu       sync.Mutex
	held     map[string]*item // by entry
	ids      map[string]*item // the last with an ID, for Dedup
	keys     map[string]int   // how many are held with a key
	ended    map[string]bool  // entries done with while some are taken over; nil: nothing is
	watching int              // how many take over
	left     map[string]int   // tries of entries that were not done with, when stopping
	items    sync.WaitGroup
}

func newConsumer(ctx context.Context, s Store, handle Handler, o belfry.ConsumeOptions) *consumer {
	c := &consumer{
		store: s, handle: handle, o: o, stopping: ctx,
		places:   make(chan struct{}, o.Prefetch),
		spare:    make(chan struct{}, o.Concurrency),
		crowd:    make(chan struct{}, min(crowdMost, crowdFactor*o.Prefetch)),
		handlers: newSlots(o.Concurrency),
		held:     make(map[string]*item), ids: make(map[string]*item), keys: make(map[string]int), left: make(map[string]int),
	}
	c.life, c.end = context.WithCancelCause(context.WithoutCancel(ctx))
	return c
}

// add begins with an entry that has a place, unless it is held already.
func (c *consumer) add(e *Entry, places chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held[e.Entry] != nil || c.ended[e.Entry] {
		<-places
		return
	}
	it := newItem(c, e, places)
	if !c.o.Unordered && e.After != "" {
		it.before = c.held[e.After]
	}
	c.joinTwins(it)
	c.joinKey(it)
	if it.twin == nil && (c.o.Unordered || e.After == "") {
		it.ticket = c.handlers.ask() // here, so that it is asked in the order of the queue
	}
	c.held[e.Entry] = it
	c.items.Go(it.run)
}

// drop ends the hold of an entry. Those that wait for it go on.
func (c *consumer) drop(it *item) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.held, it.entry.Entry)
	if c.ids[it.entry.ID] == it {
		delete(c.ids, it.entry.ID)
	}
	c.leaveKey(it)
	switch {
	case it.settled:
		if c.ended != nil {
			c.ended[it.entry.Entry] = true
		}
	case !it.lost():
		c.left[it.entry.Entry] = it.tries
	}
	it.cancel(nil)
	close(it.gone)
}

// release leaves what was held and is not done with to others, so that they need
// not wait for ReclaimAfter.
func (c *consumer) release() {
	if len(c.left) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.stopping), releaseTime)
	defer cancel()
	if err := c.store.Release(ctx, c.left); err != nil {
		c.o.Logger.Warn("queue: events are left to others only later", "events", len(c.left), "after", c.o.ReclaimAfter, "err", err)
	}
}

const releaseTime = 2 * time.Second

// Sleep waits, and reports whether ctx is still alive.
func Sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
