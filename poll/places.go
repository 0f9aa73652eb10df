package poll

import "sync"

// Places bound the connections of several servers together. nil has no bound. Safe for
// concurrent use.
type Places struct {
	mu      sync.Mutex
	most    int
	taken   int
	refused uint64
}

// NewPlaces makes places for so many connections. 0 is no bound.
func NewPlaces(most int) *Places { return &Places{most: most} }

// Take reports whether there is a place, and takes it: before a client is let in. Then
// GiveBack follows, when its connection is gone.
func (p *Places) Take() bool {
	if p == nil {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.most > 0 && p.taken >= p.most {
		p.refused++
		return false
	}
	p.taken++
	return true
}

// Stats returns how many are taken, how many there are, 0 for no bound, and how often
// there was none.
func (p *Places) Stats() (taken, most int, refused uint64) {
	if p == nil {
		return 0, 0, 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken, p.most, p.refused
}

// GiveBack ends what Take began.
func (p *Places) GiveBack() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
}
