package socketio

import (
	"context"
	"errors"
	"slices"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
)

// Join puts the socket into rooms. It fails if that are too many
// (hub.ErrTooManyRooms), the socket is disconnected, or the bus does not answer
// within Options.AckTimeout (belfry.ErrUnavailable). When it returns, the cluster
// knows of the rooms: a client that loses its node is in them again.
func (s *Socket) Join(rooms ...belfry.Room) error {
	if slices.ContainsFunc(rooms, hub.Reserved) {
		return ErrReservedRoom
	}
	return s.joinRooms(rooms...)
}

// joinRooms is Join for rooms of any name.
func (s *Socket) joinRooms(rooms ...belfry.Room) error {
	slot := hub.Slot(s.slot.Load())
	if slot == 0 {
		return s.joinEarly(rooms)
	}
	ctx, cancel := s.nsp.server.busContext()
	defer cancel()
	for _, room := range rooms {
		if room == belfry.Room(s.id) {
			continue
		}
		if err := s.join(ctx, slot, room); err != nil {
			return err
		}
	}
	if s.state.Load() == connecting {
		return nil // stored with the rest, before the client knows
	}
	err := s.holdSession(ctx)
	if errors.Is(err, belfry.ErrNoSession) {
		s.forfeit()
		return ErrDisconnected
	}
	return err
}

func (s *Socket) join(ctx context.Context, slot hub.Slot, room belfry.Room) error {
	if err := s.remember(ctx, room); err != nil {
		return err
	}
	_, _, err := s.nsp.space.Join(ctx, slot, room)
	if err == nil {
		err = s.attend(ctx, room)
	}
	if err != nil {
		s.forget(room)
	}
	return joinError(err)
}

func (s *Socket) forget(room belfry.Room) {
	s.change(func(ses *session) {
		ses.joined = slices.DeleteFunc(ses.joined, func(m belfry.Membership) bool { return m.Room == room })
	})
}

func joinError(err error) error {
	if errors.Is(err, hub.ErrNoMember) {
		return ErrDisconnected
	}
	return err
}

// joinEarly keeps the rooms that a middleware joins until there is a socket.
func (s *Socket) joinEarly(rooms []belfry.Room) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() != connecting {
		return ErrDisconnected
	}
	x := s.more()
	x.early = append(x.early, rooms...)
	return nil
}

// Leave takes the socket out of rooms.
func (s *Socket) Leave(rooms ...belfry.Room) { s.leaveRooms(visible(slices.Clone(rooms))...) }

// leaveRooms is Leave for rooms of any name.
func (s *Socket) leaveRooms(rooms ...belfry.Room) {
	slot := hub.Slot(s.slot.Load())
	for _, room := range rooms {
		s.nsp.space.Leave(slot, room)
		s.forget(room)
		s.unattend(room)
	}
	s.holdSessionSoon()
}

// Rooms are those the socket is in, its own first; after the disconnect those it
// was in.
func (s *Socket) Rooms() []belfry.Room {
	own := []belfry.Room{belfry.Room(s.id)}
	s.mu.Lock()
	ended := s.state.Load() == disconnected
	var left []belfry.Room
	if ended && s.x != nil {
		left = visible(slices.Clone(s.x.left))
	}
	s.mu.Unlock()
	if ended {
		return append(own, left...)
	}
	return append(own, visible(s.nsp.space.RoomsOf(hub.Slot(s.slot.Load())))...)
}
