package socketio

import (
	"errors"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
)

// Join puts the socket into rooms. It fails if that are too many
// (hub.ErrTooManyRooms) or the socket is disconnected.
func (s *Socket) Join(rooms ...belfry.Room) error {
	slot := hub.Slot(s.slot.Load())
	if slot == 0 {
		return s.joinEarly(rooms)
	}
	for _, room := range rooms {
		if room == belfry.Room(s.id) {
			continue
		}
		if err := s.remember(room); err != nil {
			return err
		}
		if _, _, err := s.nsp.space.Join(slot, room); err != nil {
			return joinError(err)
		}
	}
	return nil
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
func (s *Socket) Leave(rooms ...belfry.Room) {
	slot := hub.Slot(s.slot.Load())
	for _, room := range rooms {
		s.nsp.space.Leave(slot, room)
		s.forget(room)
	}
}

// Rooms are those the socket is in, its own first; after the disconnect those it
// was in.
func (s *Socket) Rooms() []belfry.Room {
	own := []belfry.Room{belfry.Room(s.id)}
	s.mu.Lock()
	ended := s.state.Load() == disconnected
	var left []belfry.Room
	if ended && s.x != nil {
		left = s.x.left
	}
	s.mu.Unlock()
	if ended {
		return append(own, left...)
	}
	return append(own, s.nsp.space.RoomsOf(hub.Slot(s.slot.Load()))...)
}
