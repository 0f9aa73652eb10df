package poll

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// pace decides for how long the connections of one loop collect frames.
//
// The measure is the share of one core's time that the loop's connections
// spend in write calls. While it is low, the interval is 0 and every frame is
// written at once. When it has been above the target for some time the interval
// grows step by step, for a longer interval means fewer calls for the same
// frames; below half the target it shrinks again. Calls that are full anyway do
// not make it grow: waiting would not make fewer of them.
type pace struct {
	interval atomic.Uint32 // ms; 0: do not collect
	clock    atomic.Uint32 // ms since the engine began; moves only while interval > 0
	max      uint32        // ms; 0: never collect
	target   float64       // in cores
	_        [64 - 24]byte // what every Send reads apart from what samples write

	busy atomic.Int64 // ns in calls since looked, estimated
	thin atomic.Int64 // the part of busy that collecting could save

	mu      sync.Mutex
	looked  time.Duration // of the engine's time, like changed
	excess  time.Duration // time in calls beyond the target, lately
	changed time.Duration
	thinAvg float64 // in cores
	busyAvg float64
}

const (
	// paceStep is the least time between two looks.
	paceStep = 10 * time.Millisecond
	// paceExcess starts the collecting: one broadcast to a few thousand
	// connections, which collecting would not make cheaper, stays below.
	paceExcess = 10 * time.Millisecond
	// paceSmooth is the weight of the latest look in the averages.
	paceSmooth = 0.3
	// longestCall bounds one sample: beyond that the thread was not running.
	longestCall = 100 * time.Microsecond
)

// setUp shares a target of half a core per two processors among the loops.
func (p *pace) setUp(o Options) {
	p.max = uint32(max(0, o.MaxCoalesce.Milliseconds()))
	p.target = 0.25 * float64(runtime.GOMAXPROCS(0)) / float64(o.Loops)
}

func (p *pace) on() bool { return p.max > 0 }

// sample adds a call's time. It stands for weight calls.
func (p *pace) sample(call time.Duration, weight int64, thin bool) {
	ns := int64(min(call, longestCall)) * weight
	p.busy.Add(ns)
	if thin {
		p.thin.Add(ns)
	}
}

// overloaded is asked while nothing is collected; it reports whether that is to
// begin.
func (p *pace) overloaded(now time.Duration) bool {
	if !p.mu.TryLock() {
		return false
	}
	defer p.mu.Unlock()
	elapsed := now - p.looked
	if elapsed < paceStep {
		return false
	}
	p.looked = now
	thin := time.Duration(p.thin.Swap(0))
	p.busy.Store(0)
	p.excess = max(0, p.excess+thin-time.Duration(p.target*float64(elapsed)))
	if p.excess < paceExcess {
		return false
	}
	p.excess, p.changed = 0, now
	p.thinAvg, p.busyAvg = p.target, p.target
	return true
}

// adjust sets the interval by what was measured since the last call, if there
// was time to see what the last change has brought.
func (p *pace) adjust(now time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	elapsed := now - p.looked
	if elapsed < paceStep {
		return
	}
	p.looked = now
	p.thinAvg += paceSmooth * (share(&p.thin, elapsed) - p.thinAvg)
	p.busyAvg += paceSmooth * (share(&p.busy, elapsed) - p.busyAvg)
	t := p.interval.Load()
	if now-p.changed < paceStep+time.Duration(t)*time.Millisecond {
		return
	}
	switch {
	case p.thinAvg > p.target:
		t = min(p.max, t+max(1, t/2))
	case p.busyAvg < p.target/2 && t > 0:
		t -= max(1, t/4)
	default:
		return
	}
	p.interval.Store(t)
	p.changed = now
}

// share takes ns out and returns them as a share of elapsed.
func share(ns *atomic.Int64, elapsed time.Duration) float64 {
	return float64(ns.Swap(0)) / float64(elapsed)
}
