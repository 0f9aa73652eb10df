// Package roster keeps the connections of a server: who is there, how many may come,
// and that all have gone.
package roster

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

// Roster is a set of connections. The zero value is empty and open. Safe for
// concurrent use.
type Roster[T comparable] struct {
	// Shared bounds this roster and others together. nil: there are no others. It is
	// set before use.
	Shared *poll.Places

	mu     sync.Mutex
	all    map[T]struct{}
	coming int // reserved by handshakes under way
	closed bool
	empty  chan struct{} // closed once there is none, after Close
}

// Reserve reports whether one more may come; then Add or GiveBack follows. limit 0
// is no bound.
func (r *Roster[T]) Reserve(limit int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || limit > 0 && len(r.all)+r.coming >= limit || !r.Shared.Take() {
		return false
	}
	r.coming++
	return true
}

// GiveBack ends a reservation that came to nothing.
func (r *Roster[T]) GiveBack() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.coming--
	r.Shared.GiveBack()
	r.settle()
}

// Add puts c into a reserved place. It reports false if the server is closing: c is
// there even so, until it is removed.
func (r *Roster[T]) Add(c T) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.coming--
	if r.all == nil {
		r.all = make(map[T]struct{})
	}
	r.all[c] = struct{}{}
	return !r.closed
}

// Remove ends what Add began.
func (r *Roster[T]) Remove(c T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.all[c]; ok {
		delete(r.all, c)
		r.Shared.GiveBack()
	}
	r.settle()
}

// settle says so if Wait waits for nobody any more.
func (r *Roster[T]) settle() {
	if r.closed && len(r.all)+r.coming == 0 {
		select {
		case <-r.empty:
		default:
			close(r.empty)
		}
	}
}

// Len returns how many are there.
func (r *Roster[T]) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all)
}

// All returns who is there, in no order.
func (r *Roster[T]) All() []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.AppendSeq(make([]T, 0, len(r.all)), maps.Keys(r.all))
}

// Close lets nobody in any more and returns who is there.
func (r *Roster[T]) Close() []T {
	r.mu.Lock()
	if !r.closed {
		r.closed, r.empty = true, make(chan struct{})
	}
	r.settle()
	r.mu.Unlock()
	return r.All()
}

// Wait returns when nobody is there, or with the error of ctx. Close comes first.
func (r *Roster[T]) Wait(ctx context.Context) error {
	select {
	case <-r.empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Drain is Close, and calls end for one after the other, evenly over the given time;
// 0 or less: at once. It returns when all have been told, or with the error of ctx
// when that ends: then the others are still there.
func (r *Roster[T]) Drain(ctx context.Context, over time.Duration, end func(T)) error {
	all := r.Close()
	begun, step := time.Now(), max(over, 0)/time.Duration(max(len(all), 1))
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i, c := range all {
		if !r.has(c) {
			continue
		}
		timer.Reset(time.Until(begun.Add(time.Duration(i) * step)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		end(c)
	}
	return nil
}

func (r *Roster[T]) has(c T) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.all[c]
	return ok
}
