package poll

import "sync"

// Places bound the connections of several servers together. nil has no bound. Safe for
// concurrent use.
type Places struct {
	mu    sync.Mutex
	most  int
	taken int
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
		return false
	}
	p.taken++
	return true
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
