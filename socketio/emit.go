package socketio

import (
	"context"
	"fmt"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// Emit sends an event to this client. See Broadcast.Emit for the arguments and
// what its return means. With recovery the event goes through the bus's log, and
// the client gets it even if it is away for a while.
func (s *Socket) Emit(ctx context.Context, event string, args ...any) error {
	if !s.Connected() {
		return ErrDisconnected
	}
	if s.nsp.server.opts.Recovery != nil {
		return s.self().Emit(ctx, event, args...)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m, err := newMessage(belfry.Emit, event, args)
	if err != nil {
		return err
	}
	s.Deliver(&hub.Delivery{Message: m})
	return nil
}

// EmitAck sends an event to this client and waits for its answer, until ctx ends
// or Options.AckTimeout if ctx has no deadline. It fails with ErrTimeout, or
// ErrDisconnected if the client goes away.
func (s *Socket) EmitAck(ctx context.Context, event string, args ...any) (Args, error) {
	m, err := newMessage(belfry.Emit, event, args)
	if err != nil {
		return Args{}, err
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, s.nsp.server.opts.AckTimeout, ErrTimeout)
		defer cancel()
	}
	m.Request = 1 // wants an ack; the number is for the bus, which is not involved
	answers := make(chan hub.Answer, 1)
	forget := s.DeliverAck(&hub.Delivery{Message: m}, func(a hub.Answer) { answers <- a })
	defer forget()
	if !s.Connected() {
		return Args{}, ErrDisconnected
	}
	select {
	case a := <-answers:
		return newArgs(a.Args, a.Attachments), nil
	case <-s.Context().Done():
		return Args{}, ErrDisconnected
	case <-ctx.Done():
		if ctx.Err() == context.DeadlineExceeded {
			return Args{}, ErrTimeout
		}
		return Args{}, ctx.Err()
	}
}

// Call is EmitAck with the first argument of the answer decoded into R.
func Call[R any](ctx context.Context, s *Socket, event string, args ...any) (R, error) {
	var v R
	a, err := s.EmitAck(ctx, event, args...)
	if err != nil {
		return v, err
	}
	if err := a.Decode(&v); err != nil {
		return v, fmt.Errorf("decode the answer to %q: %w", event, err)
	}
	return v, nil
}

// To addresses the sockets in the rooms, without this one.
func (s *Socket) To(rooms ...belfry.Room) Broadcast { return s.Broadcast().To(rooms...) }

// Broadcast addresses all sockets of the namespace but this one.
func (s *Socket) Broadcast() Broadcast {
	return Broadcast{nsp: s.nsp}.Except(belfry.Room(s.id))
}

// Volatile addresses this client with events that may be dropped if it cannot
// take them now.
func (s *Socket) Volatile() Broadcast { return s.self().Local().Volatile() }

// Compress addresses this client with events that may, or must not, be
// compressed.
func (s *Socket) Compress(yes bool) Broadcast {
	b := s.self().Compress(yes)
	b.local = s.nsp.server.opts.Recovery == nil
	return b
}

// self addresses this socket by its own room.
func (s *Socket) self() Broadcast { return Broadcast{nsp: s.nsp}.To(belfry.Room(s.id)) }

// Deliver implements hub.Member.
func (s *Socket) Deliver(d *hub.Delivery) {
	if s.state.Load() != connected && s.hold(d) {
		return
	}
	if last := s.replayed.Load(); last != nil && d.Offset != "" {
		if !s.nsp.space.Before(*last, d.Offset) {
			return // logged before the replay, delivered after it
		}
		s.replayed.Store(nil) // the log's order: none comes any more
	}
	s.observe(d)
	s.transmit(d)
}

// hold keeps d until the socket is open; false if it is by now.
func (s *Socket) hold(d *hub.Delivery) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.state.Load() {
	case connected:
		return false
	case connecting:
		if !d.Volatile {
			x := s.more()
			x.held = append(x.held, d)
		}
	}
	return true
}

func (s *Socket) transmit(d *hub.Delivery) {
	out := s.nsp.encode(d, s.client.format)
	o := out.options
	o.Cork = d.Cork
	// The errors of Send are those of a client that is slow or gone: it is
	// closed, or it was volatile. Neither is the sender's business.
	_ = s.client.session.Send(out.message, o)
}

// observe calls the outgoing catch-all handlers.
func (s *Socket) observe(d *hub.Delivery) {
	if s.own.Load() == nil && len(s.nsp.handlers.load().outgoing) == 0 {
		return
	}
	event, args, err := splitEvent(d.Data, d.Attachments)
	if err != nil {
		return
	}
	for _, h := range s.registries() {
		for _, f := range h.load().outgoing {
			_ = s.guard("outgoing handler", func() error {
				f(s, event, args)
				return nil
			})
		}
	}
}

// DeliverAck implements hub.Member.
func (s *Socket) DeliverAck(d *hub.Delivery, done func(hub.Answer)) (forget func()) {
	out := s.nsp.encode(d, s.client.format)
	s.mu.Lock()
	x := s.more()
	if s.state.Load() != disconnected {
		if x.acks == nil {
			x.acks = make(map[uint64]func(hub.Answer))
		}
		x.acks[out.ackID] = done
	}
	s.mu.Unlock()
	s.Deliver(d)
	return func() { s.takeAck(out.ackID) }
}

// takeAck returns who waits for an ack, once.
func (s *Socket) takeAck(id uint64) func(hub.Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.x == nil {
		return nil
	}
	done := s.x.acks[id]
	delete(s.x.acks, id)
	return done
}

// acked hands an ack to who waits for it. It reports false if the packet has to
// be judged in its turn: the client is not in that namespace.
func (c *client) acked(p *packet.Packet) bool {
	s := c.find(p.Namespace)
	if s == nil || !s.Connected() {
		return false
	}
	if !p.HasID {
		return true
	}
	if done := s.takeAck(p.ID); done != nil {
		done(hub.Answer{Args: p.Data, Attachments: p.Attachments})
	}
	return true
}

func disconnectPacket(namespace string) packet.Packet {
	return packet.Packet{Type: packet.Disconnect, Namespace: namespace}
}
