package plain

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/internal/inbox"
	"github.com/seed-09a96375/belfry/internal/limit"
	"github.com/seed-09a96375/belfry/internal/wheel"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/websocket"
)

// Conn is one client: a member of the hub, and the handler of its WebSocket or event
// stream. What it asks for is done by its worker, one thing after the other. Safe
// for concurrent use.
type Conn struct {
	server  *Server
	out     outlet // set before anything runs
	id      belfry.SocketID
	inbox   inbox.Inbox[item]
	limiter limit.Rate // for the worker only
	seen    atomic.Uint32
	paused  atomic.Bool // it is not read: it cannot be seen
	stream  bool        // an event stream, not a WebSocket

	mu     sync.Mutex
	state  state
	admits bool // Options.Authenticate has admitted it
	user   string
	slot   hub.Slot
	cancel context.CancelFunc // of the request under way
	timer  wheel.Timer[*Conn]
	at     belfry.Offset // all up to it has been sent
	rooms  []membership
	fresh  bool    // some of rooms have no from
	joins  uint32  // counts the rooms that got none
	hold   *hold   // not nil: deliveries wait
	caught *caught // not nil: what comes may have been sent from the log
	more   *extras // what few connections need
}

// outlet is what a connection is written to: a *websocket.Conn, or an event stream.
type outlet interface {
	Send(f poll.Frame) error
	Buffered() int
	RemoteAddr() net.Addr
	PauseRead()
	ResumeRead()
	Close(code int, reason string)
	Terminate(err error)
}

// state of a connection, in order.
type state uint8

const (
	waiting   state = iota // for the first request
	connected              // a member of the hub
	ended                  // closed here
	gone                   // closed
)

// membership is a room that the client is in.
type membership struct {
	room belfry.Room
	// from is a position from which on the client has got all of the room, up to
	// Conn.at; empty: not known yet.
	from belfry.Offset
}

// extras are what a connection needs until it has connected, or only if it is in
// rooms with presence, or is asked for acks.
type extras struct {
	login *Login

	// For the worker only.
	present map[belfry.Room]belfry.Stay

	mu   sync.Mutex
	last uint64                        // number that was given out last
	acks map[uint64]func(hub.Answer)   // that the client owes
	owed map[uint64]context.CancelFunc // answers that the application owes it
}

// item is one thing to do for a connection.
type item struct {
	raw []byte                    // a request, owned
	do  func(ctx context.Context) // instead
	end bool                      // instead: the connection is over; the last item
}

func newConn(s *Server, l *Login, stream bool) *Conn {
	c := &Conn{server: s, id: newID(), stream: stream, more: &extras{login: l}}
	c.timer.Owner = c
	return c
}

// newID returns 20 characters, as ids of sockets have.
func newID() belfry.SocketID {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return belfry.SocketID(base64.RawURLEncoding.EncodeToString(b[:]))
}

// ID is the client's id in the cluster. It has another after a reconnect.
func (c *Conn) ID() belfry.SocketID { return c.id }

// User is who Options.Authenticate says it is, empty for nobody.
func (c *Conn) User() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.user
}

// Rooms returns the rooms that the client is in.
func (c *Conn) Rooms() []belfry.Room {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]belfry.Room, len(c.rooms))
	for i := range c.rooms {
		all[i] = c.rooms[i].room
	}
	return all
}

// Connected reports whether the client is a member of the hub.
func (c *Conn) Connected() bool { return c.is(connected) }

// RemoteAddr asks the kernel each time; nil once closed.
func (c *Conn) RemoteAddr() net.Addr { return c.out.RemoteAddr() }

func (c *Conn) is(s state) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == s
}

// open begins the life of a connection whose outlet is there.
func (c *Conn) open() {
	c.server.wheel.Arm(&c.timer, c.server.o.ConnectTimeout)
	if c.stream {
		c.server.counters.streams.Add(1)
	}
	if !c.server.conns.Add(c) {
		c.shutdown()
	}
}

// Message implements websocket.Handler.
func (c *Conn) Message(op websocket.Opcode, p []byte) error {
	c.saw()
	if op != websocket.Text {
		c.push(item{do: func(context.Context) {
			c.answerError(nil, &Error{Code: codeJSON, Message: "send text messages: binary values are {\"$binary\":\"<base64>\"}"})
		}})
		return nil
	}
	c.push(item{raw: bytes.Clone(p)})
	return nil
}

// Pong implements websocket.PongHandler.
func (c *Conn) Pong([]byte) { c.saw() }

// Closed implements websocket.Handler.
func (c *Conn) Closed(int, error) {
	c.mu.Lock()
	c.state, c.hold = gone, nil
	c.server.wheel.Stop(&c.timer)
	slot, cancel := c.slot, c.cancel
	c.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	c.forgive()
	if slot != 0 {
		c.server.space.Remove(slot, c.id)
	}
	c.inbox.Close(c.server.inboxes, c, item{end: true})
}

// push hands an item to the worker. If too many wait, the client is read no further.
func (c *Conn) push(it item) {
	if !c.inbox.Push(c.server.inboxes, c, it, len(it.raw)) {
		return
	}
	c.paused.Store(true)
	c.out.PauseRead()
	if !c.inbox.AwaitDrained() {
		c.Drained()
	}
}

// Drained implements inbox.Owner.
func (c *Conn) Drained() {
	c.saw()
	c.paused.Store(false)
	c.out.ResumeRead()
}

// Panicked implements inbox.Owner.
func (c *Conn) Panicked(value any, stack []byte) {
	c.server.o.Logger.Error("panic", "value", value, "stack", string(stack))
	c.End(codeFailed, "internal error")
}

// Run implements inbox.Owner.
func (c *Conn) Run(it item) {
	if it.end {
		c.finish()
		return
	}
	if !c.is(waiting) && !c.is(connected) {
		return
	}
	ctx := c.begins()
	defer c.ends()
	if it.do != nil {
		it.do(ctx)
		return
	}
	c.handle(ctx, it.raw)
}

// finish is the end of a connection, after all that its worker had to do.
func (c *Conn) finish() {
	c.leavePresence()
	c.mu.Lock()
	admitted := c.admits
	c.mu.Unlock()
	if admitted && c.server.o.Closed != nil {
		c.server.o.Closed(c)
	}
	if c.stream {
		c.server.counters.streams.Add(-1)
	}
	c.server.conns.Remove(c)
}

// begins returns the context of one request, which ends when the client goes away.
// ends follows.
func (c *Conn) begins() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state >= ended {
		cancel()
	}
	c.cancel = cancel
	return ctx
}

func (c *Conn) ends() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancel()
	c.cancel = nil // an idle client keeps nothing
}

// extra returns what few connections need.
func (c *Conn) extra() *extras {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.more == nil {
		c.more = new(extras)
	}
	return c.more
}

// has reports whether the client is in a room; c.mu is held.
func (c *Conn) has(room belfry.Room) bool {
	return slices.ContainsFunc(c.rooms, func(m membership) bool { return m.room == room })
}
