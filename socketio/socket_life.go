package socketio

import (
	"slices"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// enter makes the socket a member of its namespace and of the rooms that its
// middlewares joined. Until open, what it gets is held back.
func (s *Socket) enter() error {
	ctx, cancel := s.nsp.server.busContext()
	defer cancel()
	if err := s.begin(ctx); err != nil {
		return err
	}
	slot, err := s.nsp.space.Add(ctx, s)
	if err != nil {
		return err
	}
	s.slot.Store(uint64(slot))
	s.mu.Lock()
	var early []belfry.Room
	if s.x != nil {
		early, s.x.early = slices.Clone(s.x.early), nil
	}
	s.mu.Unlock()
	err = s.joinRooms(early...)
	if err == nil {
		err = s.holdSession(ctx)
	}
	if err != nil {
		s.end(ReasonServerDisconnect)
		s.abandon()
	}
	return err
}

// open sends the answer to CONNECT, then what a recovered client missed, then
// what came while the socket was connecting. It reports false if the socket was
// disconnected meanwhile.
//
// Node.js sends what was missed first. Clients keep that for when they are
// connected, and do not count it: if the connection breaks before the answer, they
// get it a second time.
func (s *Socket) open() bool {
	if s.isVoid() {
		return false // its connection is about to be dropped: it comes back
	}
	sent, ok := s.catchUp()
	if !ok && !s.isVoid() {
		_ = s.client.send(disconnectPacket(s.nsp.name), engineio.SendOptions{})
	}
	for _, d := range sent {
		s.observe(d)
	}
	return ok
}

// isVoid reports whether the session can not be resumed any more.
func (s *Socket) isVoid() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.x != nil && s.x.session != nil && s.x.session.void
}

// end makes the socket a disconnected one; false if it is already.
func (s *Socket) end(reason Reason) bool { return s.endFrom(reason) != disconnected }

// endFrom does the same and returns the state the socket was in.
func (s *Socket) endFrom(reason Reason) uint32 {
	s.mu.Lock()
	state := s.state.Load()
	if state == disconnected {
		s.mu.Unlock()
		return state
	}
	s.state.Store(disconnected)
	x := s.more()
	x.reason, x.acks, x.held, x.missed = reason, nil, nil, nil
	if x.done != nil {
		close(x.done)
	}
	s.mu.Unlock()
	left := s.nsp.space.Remove(hub.Slot(s.slot.Load()), s.id)
	s.mu.Lock()
	x.left = left
	s.mu.Unlock()
	s.depart(reason)
	return state
}

func (s *Socket) endReason() Reason {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.x.reason
}

// disconnect tells the client and ends the socket. The handlers run in the
// client's turn. A socket that is not open yet tells its client when it would
// have been.
func (s *Socket) disconnect() {
	switch s.endFrom(ReasonServerDisconnect) {
	case disconnected:
		return
	case connected:
		_ = s.client.send(disconnectPacket(s.nsp.name), engineio.SendOptions{})
	}
	s.client.push(item{kind: ended, socket: s}, 0)
}

// Disconnect ends the socket, or the client's whole connection. Clients do not
// reconnect by themselves after it.
func (s *Socket) Disconnect(closeTransport bool) {
	if !closeTransport {
		s.disconnect()
		return
	}
	s.client.mu.Lock()
	sockets := s.client.sockets()
	s.client.mu.Unlock()
	for _, other := range sockets {
		other.disconnect()
	}
	s.client.session.Close()
}

// hello is the answer to CONNECT; s.mu is held.
func (s *Socket) hello() packet.Packet {
	p := packet.Packet{Type: packet.Connect, Namespace: s.nsp.name}
	if s.client.session.Protocol() == 3 {
		return p
	}
	b := packet.AppendString([]byte(`{"sid":`), string(s.id))
	if s.x != nil && s.x.session != nil {
		b = packet.AppendString(append(b, `,"pid":`...), string(s.x.session.id))
	}
	p.Data = append(b, '}')
	return p
}

// finish runs the disconnect handlers of a socket that has ended, once.
func (c *client) finish(s *Socket) {
	if !s.finished.CompareAndSwap(false, true) {
		return
	}
	reason := s.endReason()
	if !s.resumable(reason) {
		s.abandon()
	}
	s.departed()
	for _, h := range s.registries() {
		for _, f := range h.load().disconnect {
			_ = s.guard("disconnect handler", func() error {
				f(s, reason)
				return nil
			})
		}
	}
	c.remove(s)
	c.server.vacate(s.nsp)
}
