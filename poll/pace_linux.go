package poll

import (
	"runtime"
	"sync/atomic"
	"time"
)

// pace decides for how long the connections of one loop collect frames.
//
// The measure is the share of one core's time that the loop's connections
// spend in write calls. While it is low, the interval is 0 and every frame is
// written at once. Above the target the interval grows step by step, for a
// longer interval means fewer calls for the same frames; below half the target
// it shrinks again. Calls that are full anyway do not make it grow: waiting
// would not make fewer of them.
type pace struct {
	interval atomic.Uint32 // ms; 0: do not collect
	clock    atomic.Uint32 // ms since the engine began; moves only while interval > 0
	max      uint32        // ms; 0: never collect
	target   float64       // in cores
	_        [64 - 24]byte // what every Send reads apart from what samples write

	busy  atomic.Int64 // ns in calls since the window began, estimated
	thin  atomic.Int64 // the part of busy that collecting could save
	since atomic.Int64 // when the window began, ns since the engine began
}

const (
	// window is the least time over which load is measured while nothing is
	// collected, paceStep the same while something is.
	window   = 20 * time.Millisecond
	paceStep = 10 * time.Millisecond
	// longestCall bounds one sample: beyond that the thread was not running.
	longestCall = 100 * time.Microsecond
)

// setUp shares a target of half a core per two processors among the loops.
func (p *pace) setUp(o Options) {
	p.max = uint32(max(0, o.MaxCoalesce.Milliseconds()))
	p.target = 0.25 * float64(runtime.GOMAXPROCS(0)) / float64(o.Loops)
}

func (p *pace) on() bool { return p.max > 0 }

// sample adds the time that calls took.
func (p *pace) sample(d time.Duration, thin bool) {
	p.busy.Add(int64(d))
	if thin {
		p.thin.Add(int64(d))
	}
}

// overloaded reports whether the window is over and was above the target; if it
// is over a new one begins.
func (p *pace) overloaded(now time.Duration) bool {
	since := p.since.Load()
	if int64(now)-since < int64(window) || !p.since.CompareAndSwap(since, int64(now)) {
		return false
	}
	p.busy.Store(0)
	return load(p.thin.Swap(0), int64(now)-since) > p.target
}

// adjust sets the interval by what was measured since the last call.
func (p *pace) adjust(now time.Duration) {
	elapsed := int64(now) - p.since.Swap(int64(now))
	thin, busy := load(p.thin.Swap(0), elapsed), load(p.busy.Swap(0), elapsed)
	t := p.interval.Load()
	switch {
	case thin > p.target:
		p.interval.Store(min(p.max, t+max(1, t/2)))
	case busy < p.target/2 && t > 0:
		p.interval.Store(t - max(1, t/4))
	}
}

func load(busy, elapsed int64) float64 {
	if elapsed <= 0 {
		return 0
	}
	return float64(busy) / float64(elapsed)
}
