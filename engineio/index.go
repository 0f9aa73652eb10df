package engineio

import (
	"sync"

	"github.com/seed-09a96375/belfry/poll"
)

// index finds sessions by id. A session stays in it until its transport is
// gone, so that whatever still holds a descriptor or memory can be reached.
type index struct {
	shared *poll.Places // a place is taken of each reservation and each session

	mu     sync.RWMutex
	m      map[sessionID]*Session
	begun  int // reserved by handshakes under way
	closed bool
	left   sync.WaitGroup // of each session: being in m, and the Receiver's last call
}

// place is room in the index that a handshake has reserved. It belongs to one
// goroutine.
type place struct {
	x    *index
	used bool
}

// reserve returns nil once the index is closed, or if max sessions are there or
// coming, max 0 is no bound, or if no place is left that it shares. The caller leaves the place.
func (x *index) reserve(max int) *place {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed || (max > 0 && len(x.m)+x.begun >= max) || !x.shared.Take() {
		return nil
	}
	x.begun++
	return &place{x: x}
}

// take puts s into the place. It reports false once the index is closed.
func (p *place) take(s *Session) bool {
	x := p.x
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return false
	}
	if x.m == nil {
		x.m = make(map[sessionID]*Session)
	}
	p.used = true
	x.begun--
	x.m[s.id] = s
	x.left.Add(2)
	return true
}

// leave gives the place back if it was not taken.
func (p *place) leave() {
	if p.used {
		return
	}
	p.x.mu.Lock()
	defer p.x.mu.Unlock()
	p.x.begun--
	p.x.shared.GiveBack()
}

func (x *index) find(id sessionID) *Session {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.m[id]
}

// remove may be called more than once.
func (x *index) remove(s *Session) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.m[s.id] == s {
		delete(x.m, s.id)
		x.shared.GiveBack()
		x.left.Done()
	}
}

func (x *index) all() []*Session {
	x.mu.RLock()
	defer x.mu.RUnlock()
	all := make([]*Session, 0, len(x.m))
	for _, s := range x.m {
		all = append(all, s)
	}
	return all
}

func (x *index) close() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed = true
}
