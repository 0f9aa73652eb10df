package poll

import (
	"sync"
	"time"
)

// collector writes the connections of one loop whose time of collecting frames
// is over. Its goroutine exists only while frames are collected.
type collector struct {
	mu      sync.Mutex
	fresh   []heldConn // came since the last round
	running bool
	// The goroutine's own: those that wait, from head on.
	waiting []heldConn
	head    int
}

type heldConn struct {
	c    *conn
	last uint32 // c.last when it came
}

// collects reports whether frames are collected now.
func (l *loop) collects() bool { return l.pace.interval.Load() != 0 }

// early reports whether c was written so lately that its next frame has to
// wait. If not it will be written now. Called under c.mu.
func (l *loop) early(c *conn) bool {
	t := l.pace.interval.Load()
	if t == 0 {
		return false
	}
	now := l.pace.clock.Load()
	if now-c.last < t {
		return true
	}
	c.last = now
	return false
}

// collect sees to it that c is written in time. Called under c.mu.
func (l *loop) collect(c *conn) {
	k := &l.collector
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fresh = append(k.fresh, heldConn{c, c.last})
	l.runCollector()
}

func (l *loop) startCollecting() {
	k := &l.collector
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.running {
		l.pace.clock.Store(l.engine.millis())
		l.pace.interval.Store(1)
		l.runCollector()
	}
}

// runCollector is called under collector.mu. It comes from a connection that is
// open, so the loop still runs and engine.running is not zero.
func (l *loop) runCollector() {
	k := &l.collector
	if !k.running {
		k.running = true
		l.engine.running.Add(1)
		go l.runPace()
	}
}

// runPace moves the clock, writes who is due, and adjusts the interval, until
// nothing is collected any more.
func (l *loop) runPace() {
	defer l.engine.running.Done()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for l.stillCollecting() {
		<-tick.C
		l.pace.clock.Store(l.engine.millis())
		l.flushDue()
		l.pace.adjust(l.engine.since())
	}
}

// stillCollecting ends the collector if there is nothing left for it. When the
// loop is over, all connections are closed, and nothing of theirs matters.
func (l *loop) stillCollecting() bool {
	k := &l.collector
	k.mu.Lock()
	defer k.mu.Unlock()
	idle := k.head == len(k.waiting) && len(k.fresh) == 0 && !l.collects()
	if idle || l.isOver() {
		l.pace.interval.Store(0)
		k.waiting, k.fresh, k.head = nil, nil, 0
		k.running = false
	}
	return k.running
}

// flushDue writes the connections that came first, as far as they are due.
// They wait in the order of their last write, nearly.
func (l *loop) flushDue() {
	k := &l.collector
	k.admit()
	now, interval := l.pace.clock.Load(), l.pace.interval.Load()
	for k.head < len(k.waiting) && now-k.waiting[k.head].last >= interval {
		w := k.waiting[k.head]
		k.waiting[k.head] = heldConn{}
		k.head++
		if last, done := w.c.flushHeld(now, interval); !done {
			l.collectAgain(heldConn{w.c, last})
		}
	}
}

// admit moves the new ones to those that wait.
func (k *collector) admit() {
	if k.head > len(k.waiting)/2 {
		rest := copy(k.waiting, k.waiting[k.head:])
		clear(k.waiting[rest:])
		k.waiting, k.head = k.waiting[:rest], 0
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.waiting = append(k.waiting, k.fresh...)
	clear(k.fresh)
	k.fresh = k.fresh[:0]
}

// collectAgain is for a connection that was written meanwhile and has frames
// again.
func (l *loop) collectAgain(w heldConn) {
	l.collector.mu.Lock()
	defer l.collector.mu.Unlock()
	l.collector.fresh = append(l.collector.fresh, w)
}
