package engineio

import (
	"sync"
	"sync/atomic"
	"time"
)

// timer is one entry of a wheel. It lives inside what it is about; the zero
// value is not armed.
type timer struct {
	prev, next *timer
	s          *Session
	due        tick
	kind       timerKind
}

type timerKind uint8

const (
	timerBeat    timerKind = iota // heartbeat
	timerLinger                   // a closed polling session waits for its last GET
	timerUpgrade                  // an upgrade takes too long
	timerRelease                  // a GET is released during an upgrade
)

// tick is a moment in units of the wheel's resolution. It wraps: compare with
// after.
type tick uint32

func (t tick) after(u tick) bool { return int32(t-u) > 0 }

// wheel is a hashed timing wheel: arming, stopping and firing cost the same
// whatever their number, and a timer costs no object of its own. Its goroutine
// exists only while a timer is armed. Safe for concurrent use.
type wheel struct {
	resolution time.Duration
	fire       func(*timer)
	base       time.Time

	now atomic.Uint32 // tick that was reached last; stale while nothing is armed

	mu      sync.Mutex
	slots   [wheelSlots]timer // heads of circular lists
	armed   int
	running bool
	done    sync.WaitGroup
	quit    chan struct{}
}

// wheelSlots times the resolution is one turn; timers beyond it are looked at
// once per turn.
const wheelSlots = 512

// newWheel makes a wheel that calls fire from its goroutine, without locks held,
// for every timer that is due: at most two ticks late, never early.
func newWheel(resolution time.Duration, fire func(*timer)) *wheel {
	w := &wheel{resolution: resolution, fire: fire, base: time.Now(), quit: make(chan struct{})}
	for i := range w.slots {
		head := &w.slots[i]
		head.prev, head.next = head, head
	}
	return w
}

// clock returns the present tick.
func (w *wheel) clock() tick { return tick(time.Since(w.base) / w.resolution) }

// recent returns the present tick or the one before, without asking the clock.
// It is meaningful only while a timer is armed.
func (w *wheel) recent() tick { return tick(w.now.Load()) }

// ticks converts a duration, rounding up.
func (w *wheel) ticks(d time.Duration) tick { return tick((d + w.resolution - 1) / w.resolution) }

// arm sets t to fire once after d, instead of whenever it was to fire.
func (w *wheel) arm(t *timer, d time.Duration) { w.armTicks(t, w.ticks(d)) }

func (w *wheel) armTicks(t *timer, n tick) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.clock() // under the lock: advance must not pass t.due before t is linked
	w.unlink(t)
	t.due = now + n + 1 // the present tick is partly over
	w.link(t)
	if !w.running {
		w.running = true
		w.now.Store(uint32(now))
		w.done.Go(w.run)
	}
}

// stop disarms t. It may still fire if it is firing now.
func (w *wheel) stop(t *timer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unlink(t)
}

// isArmed reports whether t is to fire. A fire function that finds its timer
// armed is late: t was set anew.
func (w *wheel) isArmed(t *timer) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return t.next != nil
}

func (w *wheel) link(t *timer) {
	head := &w.slots[t.due%wheelSlots]
	t.prev, t.next = head.prev, head
	t.prev.next, t.next.prev = t, t
	w.armed++
}

func (w *wheel) unlink(t *timer) {
	if t.next == nil {
		return
	}
	t.prev.next, t.next.prev = t.next, t.prev
	t.prev, t.next = nil, nil
	w.armed--
}

func (w *wheel) run() {
	ticker := time.NewTicker(w.resolution)
	defer ticker.Stop()
	var due []*timer
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
func (w *wheel) advance(due []*timer) ([]*timer, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, last := w.clock(), w.recent()
	if now-last > wheelSlots {
		last = now - wheelSlots // one turn visits every slot
	}
	for t := last + 1; !t.after(now); t++ {
		due = w.collect(due, &w.slots[t%wheelSlots], now)
	}
	w.now.Store(uint32(now))
	w.running = w.armed > 0 || len(due) > 0
	return due, w.running
}

func (w *wheel) collect(due []*timer, head *timer, now tick) []*timer {
	for t := head.next; t != head; {
		next := t.next
		if !t.due.after(now) {
			w.unlink(t)
			due = append(due, t)
		}
		t = next
	}
	return due
}

// close returns when the goroutine is gone. Nothing is armed any more, nor may it
// be afterwards.
func (w *wheel) close() {
	close(w.quit)
	w.done.Wait()
}
