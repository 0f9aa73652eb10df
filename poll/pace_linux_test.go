package poll

import (
	"testing"
	"time"
)

// plant plays the connections of one loop against a pace, in steps of 1 ms.
type plant struct {
	pace  pace
	now   time.Duration
	began bool // collecting
}

const plantCall = 6 * time.Microsecond

func newPlant() *plant {
	p := new(plant)
	p.pace.max = 100
	p.pace.target = 0.25
	return p
}

// step is a millisecond in which calls are made.
func (p *plant) step(calls float64, thin bool) {
	p.now += time.Millisecond
	p.pace.sample(plantCall, int64(calls), thin)
	if p.began {
		p.pace.adjust(p.now)
		p.began = p.pace.interval.Load() > 0
	} else if calls > 0 && p.pace.overloaded(p.now) {
		p.began = true
		p.pace.interval.Store(1)
	}
}

// steady has conns connections get rate frames a second each for some time.
func (p *plant) steady(conns, rate float64, d time.Duration) {
	for range d.Milliseconds() {
		perConn := rate / 1000 // calls in a millisecond
		if t := float64(p.pace.interval.Load()); t > 0 {
			perConn = min(perConn, 1/t)
		}
		p.step(conns*perConn, true)
	}
}

// bursts has conns connections get one frame each, some times a second.
func (p *plant) bursts(conns, rate int, d time.Duration) {
	perStep := int(time.Millisecond / plantCall)
	left := 0
	for ms := range int(d.Milliseconds()) {
		if ms%(1000/rate) == 0 {
			left = conns
		}
		n := min(left, perStep)
		left -= n
		p.step(float64(n), true)
	}
}

func (p *plant) interval() int { return int(p.pace.interval.Load()) }

func TestPaceStaysOutOfTheWay(t *testing.T) {
	for name, load := range map[string]func(p *plant){
		"500 connections, 10 broadcasts a second":  func(p *plant) { p.bursts(500, 10, 5*time.Second) },
		"500 connections, 50 broadcasts a second":  func(p *plant) { p.bursts(500, 50, 5*time.Second) },
		"2000 connections, 10 broadcasts a second": func(p *plant) { p.bursts(2000, 10, 5*time.Second) },
		"a fifth of a core, evenly":                func(p *plant) { p.steady(1000, 33, 5*time.Second) },
		"one burst":                                func(p *plant) { p.bursts(2000, 1, time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlant()
			load(p)
			if p.began {
				t.Errorf("collecting for %d ms", p.interval())
			}
		})
	}
}

func TestPaceCollectsUnderLoad(t *testing.T) {
	p := newPlant()
	p.steady(500, 5000, 50*time.Millisecond) // 15 cores' worth of calls
	if !p.began {
		t.Fatal("not collecting after 50 ms")
	}
	p.steady(500, 5000, 5*time.Second)
	// 500 calls of 6 µs every 12 ms are a quarter of a core.
	settled := p.interval()
	if settled < 12 || settled > 24 {
		t.Errorf("interval %d ms, want 12 to 24", settled)
	}
	p.steady(500, 5000, 5*time.Second)
	if now := p.interval(); now != settled {
		t.Errorf("interval went from %d ms to %d ms at the same load", settled, now)
	}
	p.steady(500, 10, time.Second)
	if p.began {
		t.Errorf("still collecting for %d ms a second after the load has gone", p.interval())
	}
}

func TestPaceStopsAtMax(t *testing.T) {
	p := newPlant()
	p.steady(1e6, 1000, 10*time.Second)
	if p.interval() != 100 {
		t.Errorf("interval %d ms, want 100", p.interval())
	}
}

// Calls that are full cannot become fewer by waiting.
func TestPaceIgnoresFullCalls(t *testing.T) {
	p := newPlant()
	for range 1000 {
		p.step(150, false)
	}
	if p.began {
		t.Errorf("collecting for %d ms", p.interval())
	}
}

// A call in which the thread was not running counts as a long one, no more.
func TestPaceBoundsSamples(t *testing.T) {
	p := newPlant()
	p.pace.sample(time.Second, 64, true)
	if got := time.Duration(p.pace.thin.Load()); got != 64*longestCall {
		t.Errorf("sample counts as %v", got)
	}
}
