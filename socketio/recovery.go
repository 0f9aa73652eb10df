package socketio

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/hub"
)

// claim is what a client says that wants to resume.
type claim struct {
	Session *belfry.SessionID `json:"pid"`
	// Offset is that of the last event it received; none if it received none.
	Offset *belfry.Offset `json:"offset"`
}

// recover resumes the session that the client claims. nil: it gets a new one.
// The socket it returns is in its rooms and has what it missed.
func (c *client) recover(n *Namespace, auth Auth) *Socket {
	if c.server.opts.Recovery == nil || len(auth) == 0 {
		return nil
	}
	var cl claim
	if json.Unmarshal(auth, &cl) != nil || cl.Session == nil || *cl.Session == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.server.opts.AckTimeout)
	defer cancel()
	kept, err := n.space.Take(ctx, *cl.Session)
	if err != nil {
		c.logRecovery(err, belfry.ErrNoSession)
		return nil
	}
	s := newSocket(c, n, kept.Socket, auth)
	s.resume(kept)
	if c.server.opts.Recovery.RunMiddlewares && s.pass(n.handlers.load().middlewares) != nil {
		return nil
	}
	if err := s.rejoin(ctx, kept, cl.Offset); err != nil {
		s.end(engineio.ReasonTransportClose)
		c.logRecovery(err, belfry.ErrNoOffset)
		return nil
	}
	return s
}

// logRecovery logs why a session could not be resumed, unless it is for the
// ordinary reason.
func (c *client) logRecovery(err, ordinary error) {
	if !errors.Is(err, ordinary) {
		c.server.opts.Logger.Warn("session not resumed", "err", err)
	}
}

// resume takes over what the session kept.
func (s *Socket) resume(kept *belfry.Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.more()
	x.recovered, x.session, x.since = true, kept.ID, kept.Since
	x.joined = make(map[belfry.Room]belfry.Offset, len(kept.Rooms))
	for _, m := range kept.Rooms {
		x.joined[m.Room] = m.Since
	}
	if kept.Data != nil {
		x.data = restored(kept.Data)
	}
}

// rejoin makes the socket a member again, and then finds what it missed: what
// comes from now on is held back, so that nothing falls between.
func (s *Socket) rejoin(ctx context.Context, kept *belfry.Session, offset *belfry.Offset) error {
	slot, err := s.nsp.space.Add(s)
	if err != nil {
		return err
	}
	s.slot.Store(uint64(slot))
	for _, m := range kept.Rooms {
		if _, _, err := s.nsp.space.Join(slot, m.Room); err != nil {
			return err
		}
	}
	after := kept.Since
	if offset != nil {
		after = *offset
	}
	missed, err := s.nsp.space.Missed(ctx, kept, after)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.x.missed = missed
	s.mu.Unlock()
	return nil
}

// replay writes what a recovered client missed; s.mu is held.
func (s *Socket) replay() (sent []*hub.Delivery) {
	if s.x == nil {
		return nil
	}
	for _, m := range s.x.missed {
		d := &hub.Delivery{Message: m}
		s.transmit(d)
		sent = append(sent, d)
	}
	s.x.missed = nil
	return sent
}

// begin gives a new socket a session that it can be resumed by.
func (s *Socket) begin() error {
	if s.nsp.server.opts.Recovery == nil {
		return nil
	}
	since, err := s.nsp.space.Position(context.Background())
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.more()
	x.session, x.since = belfry.SessionID(randomID()), since
	return nil
}

// remember notes from where on the socket is in a room.
func (s *Socket) remember(room belfry.Room) error {
	if s.nsp.server.opts.Recovery == nil {
		return nil
	}
	since, err := s.nsp.space.Position(context.Background())
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.more()
	if x.joined == nil {
		x.joined = make(map[belfry.Room]belfry.Offset)
	}
	if _, already := x.joined[room]; !already {
		x.joined[room] = since
	}
	return nil
}

func (s *Socket) forget(room belfry.Room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.x != nil {
		delete(s.x.joined, room)
	}
}

// keep stores the sessions of sockets that lost their client.
func keep(lost []*Socket) {
	for _, s := range lost {
		if err := s.keep(); err != nil {
			s.nsp.server.opts.Logger.Warn("session not kept", "socket", s.id, "err", err)
		}
		s.mu.Lock()
		s.x.isStored = true
		if s.x.stored != nil {
			close(s.x.stored)
		}
		s.mu.Unlock()
	}
}

// stored is closed once the session of a socket that has ended is kept.
func (s *Socket) stored() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.x.stored == nil {
		s.x.stored = make(chan struct{})
		if s.x.isStored {
			close(s.x.stored)
		}
	}
	return s.x.stored
}

func (s *Socket) keep() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.nsp.server.opts.AckTimeout)
	defer cancel()
	s.mu.Lock()
	kept := &belfry.Session{ID: s.x.session, Socket: s.id, Since: s.x.since}
	for _, room := range s.x.left {
		kept.Rooms = append(kept.Rooms, belfry.Membership{Room: room, Since: s.x.joined[room]})
	}
	data := s.x.data
	s.mu.Unlock()
	if kept.ID == "" {
		return nil // it never got so far
	}
	if data != nil {
		var err error
		if kept.Data, err = json.Marshal(data); err != nil {
			return err
		}
	}
	return s.nsp.space.Keep(ctx, kept, s.nsp.server.opts.Recovery.MaxDisconnection, false)
}
