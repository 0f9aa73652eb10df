package stomp

import (
	"context"
	"sync"
)

// conns are the connections of a server. The zero value is empty and open. Safe
// for concurrent use.
type conns struct {
	mu     sync.Mutex
	m      map[*Conn]struct{}
	coming int // reserved by handshakes under way
	closed bool
	empty  chan struct{} // closed once there is none, after close
}

// reserve reports whether one more may come; then add or giveBack follows. max 0 is
// no bound.
func (x *conns) reserve(max int) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed || max > 0 && len(x.m)+x.coming >= max {
		return false
	}
	x.coming++
	return true
}

// giveBack ends a reservation that came to nothing.
func (x *conns) giveBack() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.coming--
	x.settle()
}

// add puts c into a reserved place. It reports false if the server is closing: c
// is there even so, until it is removed.
func (x *conns) add(c *Conn) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.coming--
	if x.m == nil {
		x.m = make(map[*Conn]struct{})
	}
	x.m[c] = struct{}{}
	return !x.closed
}

func (x *conns) remove(c *Conn) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.m, c)
	x.settle()
}

// settle says so if close waits for nobody any more.
func (x *conns) settle() {
	if x.closed && len(x.m)+x.coming == 0 {
		select {
		case <-x.empty:
		default:
			close(x.empty)
		}
	}
}

func (x *conns) len() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.m)
}

func (x *conns) all() []*Conn {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := make([]*Conn, 0, len(x.m))
	for c := range x.m {
		all = append(all, c)
	}
	return all
}

// close lets nobody in any more and returns who is there.
func (x *conns) close() []*Conn {
	x.mu.Lock()
	if !x.closed {
		x.closed, x.empty = true, make(chan struct{})
	}
	x.settle()
	x.mu.Unlock()
	return x.all()
}

// wait returns when nobody is there, or with the error of ctx. close comes first.
func (x *conns) wait(ctx context.Context) error {
	select {
	case <-x.empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
