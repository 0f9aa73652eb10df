// Package wheel keeps many timers cheaply: each is a part of what it is about, not
// an object of its own, and a timer of the runtime stands behind all of them
// together.
package wheel

import (
	"sync"
	"sync/atomic"
	"time"
)

// Timer is one entry of a Wheel. It lives inside what it is about, its Owner, which
// is set before it is armed. The zero value is not armed. Must not be copied once
// armed.
type Timer[T any] struct {
	prev, next *Timer[T]
	Owner      T
	due        Tick
	Kind       uint8 // the owner's: what the timer is for
}

// Due returns the tick that t was last armed for.
func (t *Timer[T]) Due() Tick { return t.due }

// Tick is a moment in units of the wheel's resolution. It wraps: compare with
// After.
type Tick uint32

// After reports whether t is later than u.
func (t Tick) After(u Tick) bool { return int32(t-u) > 0 }

// Wheel is a hashed timing wheel: arming, stopping and firing cost the same
// whatever their number, and a timer costs no object of its own. Its goroutine
// exists only while a timer is armed. Safe for concurrent use.
type Wheel[T any] struct {
	resolution time.Duration
	fire       func(*Timer[T])
	base       time.Time

	now atomic.Uint32 // tick that was reached last; stale while nothing is armed

	mu      sync.Mutex
	slots   [wheelSlots]Timer[T] // heads of circular lists
	armed   int
	running bool
	done    sync.WaitGroup
	quit    chan struct{}
}

// wheelSlots times the resolution is one turn; timers beyond it are looked at
// once per turn.
const wheelSlots = 512

// New makes a wheel that calls fire from its goroutine, without locks held,
// for every timer that is due: at most two ticks late, never early.
func New[T any](resolution time.Duration, fire func(*Timer[T])) *Wheel[T] {
	w := &Wheel[T]{resolution: resolution, fire: fire, base: time.Now(), quit: make(chan struct{})}
	for i := range w.slots {
		head := &w.slots[i]
		head.prev, head.next = head, head
	}
	return w
}

// Clock returns the present tick.
func (w *Wheel[T]) Clock() Tick { return Tick(time.Since(w.base) / w.resolution) }

// Recent returns the present tick or the one before, without asking the clock.
// It is meaningful only while a timer is armed.
func (w *Wheel[T]) Recent() Tick { return Tick(w.now.Load()) }

// Ticks converts a duration, rounding up.
func (w *Wheel[T]) Ticks(d time.Duration) Tick { return Tick((d + w.resolution - 1) / w.resolution) }

// Arm sets t to fire once after d, instead of whenever it was to fire.
func (w *Wheel[T]) Arm(t *Timer[T], d time.Duration) { w.ArmTicks(t, w.Ticks(d)) }

// ArmTicks is Arm with ticks.
func (w *Wheel[T]) ArmTicks(t *Timer[T], n Tick) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.Clock() // under the lock: advance must not pass t.due before t is linked
	w.unlink(t)
	t.due = now + n + 1 // the present tick is partly over
	w.link(t)
	if !w.running {
		w.running = true
		w.now.Store(uint32(now))
		w.done.Go(w.run)
	}
}

// Stop disarms t. It may still fire if it is firing now.
func (w *Wheel[T]) Stop(t *Timer[T]) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unlink(t)
}

// IsArmed reports whether t is to fire. A fire function that finds its timer
// armed is late: t was set anew.
func (w *Wheel[T]) IsArmed(t *Timer[T]) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return t.next != nil
}

func (w *Wheel[T]) link(t *Timer[T]) {
	head := &w.slots[t.due%wheelSlots]
	t.prev, t.next = head.prev, head
	t.prev.next, t.next.prev = t, t
	w.armed++
}

func (w *Wheel[T]) unlink(t *Timer[T]) {
	if t.next == nil {
		return
	}
	t.prev.next, t.next.prev = t.next, t.prev
	t.prev, t.next = nil, nil
	w.armed--
}

func (w *Wheel[T]) run() {
	ticker := time.NewTicker(w.resolution)
	defer ticker.Stop()
	var due []*Timer[T]
	for {
		select {
		case <-ticker.C:
		case <-w.quit:
			return
		}
		var more bool
		due, more = w.advance(due[:0])
		for i, t := range due {
			w.fire(t)
			due[i] = nil
		}
		if !more {
			return
		}
	}
}

// advance collects what is due up to now. It reports false when nothing is
// armed and nothing due: the goroutine ends.
func (w *Wheel[T]) advance(due []*Timer[T]) ([]*Timer[T], bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, last := w.Clock(), w.Recent()
	if now-last > wheelSlots {
		last = now - wheelSlots // one turn visits every slot
	}
	for t := last + 1; !t.After(now); t++ {
		due = w.collect(due, &w.slots[t%wheelSlots], now)
	}
	w.now.Store(uint32(now))
	w.running = w.armed > 0 || len(due) > 0
	return due, w.running
}

func (w *Wheel[T]) collect(due []*Timer[T], head *Timer[T], now Tick) []*Timer[T] {
	for t := head.next; t != head; {
		next := t.next
		if !t.due.After(now) {
			w.unlink(t)
			due = append(due, t)
		}
		t = next
	}
	return due
}

// Close returns when the goroutine is gone. Nothing is armed any more, nor may it
// be afterwards.
func (w *Wheel[T]) Close() {
	close(w.quit)
	w.done.Wait()
}
