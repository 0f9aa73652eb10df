package socketio

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/internal/inbox"
	"github.com/seed-09a96375/belfry/internal/limit"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// client is one connection, with a socket for each namespace it is in. It is the
// engineio.Receiver of its session: packets are decoded where they arrive, acks
// go straight to who waits for them, all else through the inbox.
type client struct {
	server  *Server
	session *engineio.Session
	decoder packet.Decoder // used by Message only
	inbox   inbox.Inbox[item]
	limiter limit.Rate

	mu     sync.Mutex
	format format // not under mu: set by the first message, before anything is sent
	gone   bool   // the session has ended: no new sockets
	first  *Socket
	more   map[string]*Socket // further namespaces
	timer  *time.Timer        // the connect timeout; nil from the first socket on
}

type itemKind uint8

const (
	received itemKind = iota // a packet from the client
	ended                    // a socket was disconnected by the server
	closed                   // the session is over: the last item
)

// item is one thing to do for a client.
type item struct {
	kind   itemKind
	packet packet.Packet
	socket *Socket // ended
	reason Reason  // closed
}

// open makes the receiver of a new session.
func (s *Server) open(session *engineio.Session) engineio.Receiver {
	c := &client{server: s, session: session}
	c.mu.Lock()
	c.timer = time.AfterFunc(s.opts.ConnectTimeout, c.connectTimeout)
	c.mu.Unlock()
	if session.Protocol() == 3 {
		c.format = text
		c.push(item{packet: packet.Packet{Type: packet.Connect, Namespace: "/"}}, 0)
	}
	return c
}

// Message implements engineio.Receiver.
func (c *client) Message(data []byte, binary bool) error {
	p, done, err := c.decode(data, binary)
	if err != nil {
		c.violated(err)
		return err
	}
	if !done || p.Type.Plain() == packet.Ack && c.acked(&p) {
		return nil
	}
	size := len(p.Data)
	for _, a := range p.Attachments {
		size += len(a)
	}
	c.push(item{packet: p}, size)
	return nil
}

// decode returns a packet that owns its memory.
func (c *client) decode(data []byte, binary bool) (p packet.Packet, done bool, err error) {
	if c.format == unknown {
		c.format = text
		if binary {
			c.format = msgpack // the text parser never begins with a binary message
		}
	}
	limits := c.server.limits
	switch {
	case c.format == msgpack:
		// Its JSON is new; what is lent is cloned.
		if !binary {
			return p, false, errTextInMsgpack
		}
		p, err = packet.DecodeMsgpack(data, limits)
		for i, a := range p.Attachments {
			p.Attachments[i] = bytes.Clone(a)
		}
		return p, true, err
	case binary:
		return c.decoder.Binary(data, limits)
	}
	p, done, err = c.decoder.Text(data, limits)
	if done {
		p.Data = bytes.Clone(p.Data)
	}
	return p, done, err
}

// Closed implements engineio.Receiver.
func (c *client) Closed(reason engineio.Reason, _ error) {
	c.mu.Lock()
	c.gone = true
	c.stopTimer()
	sockets := c.sockets()
	c.mu.Unlock()
	var lost []*Socket
	for _, s := range sockets {
		if s.end(reason) && s.resumable(reason) {
			lost = append(lost, s)
		}
	}
	if len(lost) > 0 {
		c.server.keeping.Go(func() { c.server.keepSessions(lost) })
	}
	c.inbox.Close(c.server.inboxes, c, item{kind: closed, reason: reason})
}

func (c *client) push(it item, size int) {
	if !c.inbox.Push(c.server.inboxes, c, it, size) {
		return
	}
	c.session.Pause()
	if !c.inbox.AwaitDrained() {
		c.session.Resume()
	}
}

// Drained implements inbox.Owner.
func (c *client) Drained() { c.session.Resume() }

// Panicked implements inbox.Owner. Handlers' panics are caught closer to them.
func (c *client) Panicked(value any, stack []byte) {
	c.server.opts.Logger.Error("panic", "value", value, "stack", string(stack))
}

// Run implements inbox.Owner.
func (c *client) Run(it item) {
	switch it.kind {
	case received:
		c.receive(&it.packet)
	case ended:
		c.finish(it.socket)
	case closed:
		c.mu.Lock()
		sockets := c.sockets()
		c.mu.Unlock()
		for _, s := range sockets {
			c.finish(s)
		}
	}
}

func (c *client) receive(p *packet.Packet) {
	if p.Type == packet.Connect {
		c.connect(p)
		return
	}
	s := c.find(p.Namespace)
	if s == nil || !s.Connected() {
		c.refuse(s, p)
		return
	}
	switch p.Type.Plain() {
	case packet.Event:
		s.receive(p)
	case packet.Ack: // of a request that is no longer waited for
	case packet.Disconnect:
		s.end(ReasonClientDisconnect)
		c.finish(s)
	default:
		c.fail(fmt.Errorf("a client cannot send %v", p.Type))
	}
}

// refuse ends a client that talks to a namespace it is not in. One that the
// server disconnected may not know yet: what it still sends is ignored.
func (c *client) refuse(s *Socket, p *packet.Packet) {
	if s != nil || c.isGone() {
		return
	}
	c.fail(fmt.Errorf("%v packet for namespace %q, which the client is not in", p.Type, p.Namespace))
}

// fail closes the connection of a client that broke the protocol.
func (c *client) fail(err error) {
	c.violated(err)
	c.session.Close()
}

// violated tells the handlers of a broken protocol.
func (c *client) violated(err error) {
	c.mu.Lock()
	sockets := c.sockets()
	c.mu.Unlock()
	for _, s := range sockets {
		for _, f := range s.nsp.handlers.load().errors {
			f(s, err)
		}
	}
}

func (c *client) connectTimeout() {
	c.mu.Lock()
	late := c.first == nil && len(c.more) == 0
	c.mu.Unlock()
	if late {
		c.session.Close()
	}
}

func (c *client) isGone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}

// find returns the socket of a namespace, connected or just ended.
func (c *client) find(namespace string) *Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first != nil && c.first.nsp.name == namespace {
		return c.first
	}
	return c.more[namespace]
}

// add registers a socket; false if the client has gone.
func (c *client) add(s *Socket) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return false
	}
	c.stopTimer()
	if c.first == nil {
		c.first = s
		return true
	}
	if c.more == nil {
		c.more = make(map[string]*Socket)
	}
	c.more[s.nsp.name] = s
	return true
}

func (c *client) stopTimer() {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
}

func (c *client) remove(s *Socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first == s {
		c.first = nil
		return
	}
	delete(c.more, s.nsp.name)
}

// sockets returns all sockets; c.mu is held.
func (c *client) sockets() []*Socket {
	var all []*Socket
	if c.first != nil {
		all = append(all, c.first)
	}
	for _, s := range c.more {
		all = append(all, s)
	}
	return all
}

func (c *client) send(p packet.Packet, o engineio.SendOptions) error {
	return c.session.Send(encodePacket(&p, "", c.format), o)
}
