package plain

import (
	"context"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/wheel"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/websocket"
)

// A heartbeat is a ping, or a comment on an event stream. It also tells clients that
// get nothing how far the log has come: else a client that was quiet for longer than
// the log reaches back could not resume.

var (
	pingFrame    = websocket.AppendFrame(nil, websocket.Ping, nil)
	commentFrame = []byte(":\n\n")
)

// mark is a position up to which this node has delivered everything, and what tells
// clients so.
type mark struct {
	at         belfry.Offset
	ping, beat []byte
}

func newMark(at belfry.Offset) *mark {
	text := appendMember([]byte("{"), "offset", string(at))
	return &mark{
		at: at,
		// With the ping it is one write.
		ping: websocket.AppendFrame(websocket.AppendFrame(nil, websocket.Ping, nil), websocket.Text, append(text, '}')),
		// An event without data is none, but its id counts.
		beat: []byte("id: " + string(at) + "\n\n"),
	}
}

// keepMark moves the mark on while there are clients.
func (s *Server) keepMark(ctx context.Context) {
	tick := time.NewTicker(s.o.Heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if s.conns.Len() > 0 {
			s.moveMark(ctx)
		}
	}
}

// moveMark publishes a message that nobody gets. Logged messages are delivered in the
// order of the log, and Publish returns after this node's own delivery: what came
// before it has been delivered here. Two rooms, because a message to one reaches only
// the nodes that have members in it.
func (s *Server) moveMark(ctx context.Context) {
	m := &belfry.Message{
		Kind: belfry.Emit, Data: []byte(`["mark"]`),
		Target: belfry.Target{Rooms: []belfry.Room{markRoom + "a", markRoom + "b"}},
	}
	if err := s.space.Publish(ctx, m); err != nil || m.Offset == "" {
		return // the bus is away: the next one will do
	}
	s.mark.Store(newMark(m.Offset))
}

// markRoom begins names that are reserved: nobody can be in these rooms.
const markRoom = belfry.Room("\x00plain:mark:")

// saw notes a sign of life.
func (c *Conn) saw() { c.seen.Store(uint32(c.server.wheel.Recent())) }

// startPulse begins heartbeats; c.mu is held.
func (c *Conn) startPulse() {
	w := c.server.wheel
	c.seen.Store(uint32(w.Clock()))
	w.Arm(&c.timer, c.server.o.Heartbeat)
}

// tolerance is how many intervals a client may be silent.
const tolerance = 2

// onTimer runs when the connection's timer is due.
func (c *Conn) onTimer() {
	c.mu.Lock()
	switch {
	case c.state == waiting:
		c.mu.Unlock()
		c.End(codeTimeout, "no request in time")
		return
	case c.state != connected:
		c.mu.Unlock()
		return
	}
	now := c.server.wheel.Clock()
	if c.paused.Load() || c.stream {
		c.seen.Store(uint32(now))
	}
	silent := now.After(wheel.Tick(c.seen.Load()) + c.server.wheel.Ticks(tolerance*c.server.o.Heartbeat))
	if !silent {
		c.beat()
		c.server.wheel.Arm(&c.timer, c.server.o.Heartbeat)
	}
	c.mu.Unlock()
	if silent {
		c.End(codeTimeout, "no sign of life in time")
	}
}

// behind reports whether a mark is news for the client. While deliveries wait it may be
// beyond them. c.mu is held.
func (c *Conn) behind(m *mark) bool {
	before := c.server.space.Before
	for g := c.caught; g != nil; g = g.next {
		if !before(g.last, m.at) {
			return false
		}
	}
	return c.hold == nil && before(c.at, m.at)
}

// beat sends a heartbeat; c.mu is held.
func (c *Conn) beat() {
	data := pingFrame
	if c.stream {
		data = commentFrame
	}
	if m := c.server.mark.Load(); m != nil && c.behind(m) {
		c.at, c.caught = m.at, nil
		if data = m.ping; c.stream {
			data = m.beat
		}
	}
	_ = c.out.Send(poll.Frame{Data: data, Overflow: poll.DropOldest}) // Closed tells of a connection that is gone
}
