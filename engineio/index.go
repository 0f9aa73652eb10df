package engineio

import "sync"

// index finds sessions by id. A session stays in it until its transport is
// gone, so that whatever still holds a descriptor or memory can be reached.
type index struct {
	mu     sync.RWMutex
	m      map[sessionID]*Session
	begun  int // reserved by handshakes under way
	closed bool
	left   sync.WaitGroup // of each session: being in m, and the Receiver's last call
}

// reserve keeps a place for a handshake. It reports false once the index is
// closed, or if max sessions are there or coming; max 0 is no bound.
func (x *index) reserve(max int) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed || (max > 0 && len(x.m)+x.begun >= max) {
		return false
	}
	x.begun++
	return true
}

// unreserve gives the place back, when the session is in or will not be.
func (x *index) unreserve() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.begun--
}

// add takes s in. It reports false once the index is closed.
func (x *index) add(s *Session) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return false
	}
	if x.m == nil {
		x.m = make(map[sessionID]*Session)
	}
	x.m[s.id] = s
	x.left.Add(2)
	return true
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
