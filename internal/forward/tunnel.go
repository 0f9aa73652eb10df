package forward

import (
	"bytes"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

// tunnel is a WebSocket that is passed on: what one side says goes to the other,
// and the end of one is the end of both.
type tunnel struct {
	of            *tunnels
	client, owner side

	mu   sync.Mutex
	over bool // one side has ended
}

// side is one connection of a tunnel. It implements poll.Handler.
type side struct {
	in    *tunnel
	conn  poll.Conn // set by bind, under the mutex of the tunnel
	other *side
}

// A side whose other side takes nothing is not read until that has taken what
// waits for it, which is looked at every lookTime.
const (
	maxWaiting = 64 << 10 // bytes
	lookTime   = 5 * time.Millisecond
)

func newTunnel(of *tunnels) *tunnel {
	t := &tunnel{of: of}
	t.client = side{in: t, other: &t.owner}
	t.owner = side{in: t, other: &t.client}
	return t
}

// bind is for poll.Poller. Reading waits for start.
func (s *side) bind(c poll.Conn) poll.Handler {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	s.conn = c
	c.PauseRead()
	return s
}

// start lets bytes flow once both sides are there. A side may have ended already.
func (t *tunnel) start() {
	t.mu.Lock()
	over := t.over
	t.mu.Unlock()
	if over {
		t.close()
		return
	}
	t.owner.conn.ResumeRead()
	t.client.conn.ResumeRead()
}

// Data implements poll.Handler.
func (s *side) Data(p []byte) error {
	err := s.other.conn.Send(poll.Frame{Data: bytes.Clone(p)})
	if err == nil && s.other.conn.Buffered() > maxWaiting {
		s.conn.PauseRead()
		time.AfterFunc(lookTime, s.look)
	}
	return err
}

// look resumes reading once the other side has taken what waited for it, or has
// ended.
func (s *side) look() {
	if s.other.conn.Buffered() > 0 {
		time.AfterFunc(lookTime, s.look)
		return
	}
	s.conn.ResumeRead()
}

// Closed implements poll.Handler: what has arrived still goes to the other side.
func (s *side) Closed(error) {
	t := s.in
	t.mu.Lock()
	first, other := !t.over, s.other.conn
	t.over = true
	t.mu.Unlock()
	if !first {
		t.of.remove(t)
	} else if other != nil {
		other.Finish()
	}
}

// end takes leave of the owner, and has the client get what is on its way.
func (t *tunnel) end() {
	t.mu.Lock()
	owner := t.owner.conn
	t.mu.Unlock()
	if owner != nil {
		owner.Close(nil)
	}
}

// close ends both sides at once. A side that is still to come ends in start.
func (t *tunnel) close() {
	t.mu.Lock()
	t.over = true
	owner, client := t.owner.conn, t.client.conn
	t.mu.Unlock()
	for _, c := range []poll.Conn{owner, client} {
		if c != nil {
			c.Close(nil)
		}
	}
}
