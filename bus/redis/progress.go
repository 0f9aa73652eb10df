package redis

import (
	"context"
	"sync"
)

// progress is how far the feed has come: everything up to it that this node
// gets has been delivered.
type progress struct {
	mu      sync.Mutex
	at      place
	waiters int
	changed chan struct{} // closed at the next step, if there are waiters
}

func (p *progress) set(at place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = at
	if p.waiters > 0 {
		close(p.changed)
		p.changed = make(chan struct{})
		p.waiters = 0
	}
}

func (p *progress) now() place {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

// reach waits until the feed has come to a place, or to a later epoch.
func (p *progress) reach(ctx context.Context, to place) error {
	for {
		p.mu.Lock()
		if p.at.counter > to.counter || p.at.counter == to.counter && p.at.number >= to.number {
			p.mu.Unlock()
			return nil
		}
		p.waiters++
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
