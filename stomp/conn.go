package stomp

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/internal/inbox"
	"github.com/seed-09a96375/belfry/internal/limit"
	"github.com/seed-09a96375/belfry/internal/wheel"
	"github.com/seed-09a96375/belfry/stomp/frame"
	"github.com/seed-09a96375/belfry/websocket"
)

// Conn is one client. It is the handler of its WebSocket and a member of the hub:
// frames are cut out where they arrive, and handled through the inbox. Safe for
// concurrent use.
type Conn struct {
	server *Server
	ws     *websocket.Conn
	id     belfry.SocketID
	inbox  inbox.Inbox[item]

	partial *partial // what came of an unfinished frame; for Message only

	version frame.Version // set by CONNECT, before anything is delivered
	user    string        // set by CONNECT
	limiter limit.Rate    // for the worker only
	pulse   pulse

	// subscriptions is replaced, never changed; by the worker only.
	subscriptions atomic.Pointer[[]*subscription]

	mu     sync.Mutex
	state  state
	known  bool // Options.Closed is to be told
	slot   hub.Slot
	cancel context.CancelFunc // of the handler under way
	timer  wheel.Timer[*Conn]
	more   *extras // what few connections need
}

// state of a connection, in order.
type state uint8

const (
	fresh     state = iota // CONNECT has not been answered
	connected              // it has
	failed                 // an ERROR was sent, or the connection was closed here
	gone                   // the WebSocket is closed
)

// extras are what a connection needs until it has connected, or only if it has
// transactions or subscriptions with acknowledgement.
type extras struct {
	login        *Login
	transactions transactions // for the worker only

	life context.Context // of Context, with the conn's lock held; nil: nobody asked
	end  context.CancelFunc

	mu      sync.Mutex
	acks    uint64 // ids given out
	unacked []unacked
}

// partial is the beginning of a frame.
type partial struct {
	data  []byte
	split frame.Splitter
}

// item is one thing to do for a connection.
type item struct {
	raw []byte // one frame, owned
	err error  // instead: what is wrong with what came
	end bool   // instead: the connection is over; the last item
}

func newConn(s *Server, ws *websocket.Conn, r *http.Request) *Conn {
	c := &Conn{server: s, ws: ws, id: newID()}
	c.more = &extras{login: &Login{Request: r.Header.Clone(), URL: r.URL.RequestURI(), RemoteAddr: r.RemoteAddr}}
	c.timer.Owner = c
	s.wheel.Arm(&c.timer, s.o.ConnectTimeout)
	return c
}

// newID returns 20 characters, as ids of sockets have.
func newID() belfry.SocketID {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return belfry.SocketID(base64.RawURLEncoding.EncodeToString(b[:]))
}

// ID is the client's id in the cluster.
func (c *Conn) ID() belfry.SocketID { return c.id }

// User is who Options.Authenticate says it is, empty for nobody.
func (c *Conn) User() string { return c.user }

// Version is the version of the protocol that was agreed upon.
func (c *Conn) Version() frame.Version { return c.version }

// Connected reports whether CONNECT was answered and the connection has not ended.
func (c *Conn) Connected() bool { return c.is(connected) }

// Rooms are those that the client is in, without the one of its id.
func (c *Conn) Rooms() []belfry.Room {
	return slices.DeleteFunc(c.server.space.RoomsOf(c.memberSlot()), hub.Reserved)
}

// RemoteAddr asks the kernel each time; nil once closed.
func (c *Conn) RemoteAddr() net.Addr { return c.ws.RemoteAddr() }

// Message implements websocket.Handler.
func (c *Conn) Message(_ websocket.Opcode, p []byte) error {
	c.pulse.saw(c.server.wheel)
	var split frame.Splitter
	if c.partial != nil {
		if len(c.partial.data) == 1 && c.partial.data[0] == '\r' {
			c.partial.split = split // it may be the first half of a heart-beat
		}
		c.partial.data = append(c.partial.data, p...)
		p, split = c.partial.data, c.partial.split
	}
	for len(p) > 0 {
		if split == (frame.Splitter{}) {
			p = p[frame.EOLs(p):]
		}
		n, err := split.Next(p, c.server.o.Limits)
		if err != nil {
			c.partial = nil
			c.push(item{err: err})
			return nil
		}
		if n == 0 {
			break
		}
		c.push(item{raw: bytes.Clone(p[:n])})
		p = p[n:]
	}
	c.keep(p, split)
	return nil
}

// keep remembers the beginning of a frame. Memory follows what has arrived.
func (c *Conn) keep(p []byte, split frame.Splitter) {
	switch {
	case len(p) == 0:
		c.partial = nil
	case c.partial == nil:
		c.partial = &partial{data: bytes.Clone(p), split: split}
	default:
		if &p[0] != &c.partial.data[0] {
			p = bytes.Clone(p) // what came before it has been handled
		}
		c.partial.data, c.partial.split = p, split
	}
}

// push hands an item to the worker. If too many wait, the client is read no further.
func (c *Conn) push(it item) {
	if !c.inbox.Push(c.server.inboxes, c, it, len(it.raw)) {
		return
	}
	c.pulse.paused.Store(true)
	c.ws.PauseRead()
	if !c.inbox.AwaitDrained() {
		c.Drained()
	}
}

// Drained implements inbox.Owner.
func (c *Conn) Drained() {
	c.pulse.saw(c.server.wheel)
	c.pulse.paused.Store(false)
	c.ws.ResumeRead()
}

// Panicked implements inbox.Owner.
func (c *Conn) Panicked(value any, stack []byte) {
	c.server.o.Logger.Error("panic", "value", value, "stack", string(stack))
	c.fail(&refusal{code: websocket.CloseInternalError, message: "internal error"}, "")
}

// Pong implements websocket.PongHandler.
func (c *Conn) Pong([]byte) { c.pulse.saw(c.server.wheel) }

// Closed implements websocket.Handler.
func (c *Conn) Closed(int, error) {
	c.mu.Lock()
	c.state = gone
	c.server.wheel.Stop(&c.timer)
	slot, cancel := c.slot, c.cancel
	if c.more != nil && c.more.end != nil {
		c.more.end()
	}
	c.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	if slot != 0 {
		c.server.space.Remove(slot, c.id)
	}
	c.forgetUnacked(nil)
	c.tellClosed()
	c.inbox.Close(c.server.inboxes, c, item{end: true})
}

// Run implements inbox.Owner.
func (c *Conn) Run(it item) {
	switch {
	case it.end:
		c.server.conns.Remove(c)
	case c.is(fresh) || c.is(connected):
		c.handle(it)
	}
}

func (c *Conn) is(s state) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == s
}

// begins returns the context of one handler, which ends when the client goes away.
// ends follows.
func (c *Conn) begins() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state >= failed {
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

// Context ends when the connection does. It costs nothing until someone asks for it.
func (c *Conn) Context() context.Context {
	x := c.extra()
	c.mu.Lock()
	defer c.mu.Unlock()
	if x.life == nil {
		x.life, x.end = context.WithCancel(context.Background())
		if c.state == gone {
			x.end()
		}
	}
	return x.life
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
