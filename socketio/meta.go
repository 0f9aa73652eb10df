package socketio

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
)

// maxEarlyMeta bounds the rooms that a socket has metadata for and is not in.
const maxEarlyMeta = 100

// SetMeta sets the metadata of the socket in a room that keeps presence, anything
// that has a JSON form. Before Join it is part of the join, after it the members
// get presence:update. It ends with the membership.
func (s *Socket) SetMeta(ctx context.Context, room belfry.Room, meta any) error {
	if !s.nsp.keepsPresence(room) {
		return ErrNoPresence
	}
	raw, err := bounded("metadata", meta, s.nsp.server.opts.RoomLimits.MaxMeta)
	if err != nil {
		return err
	}
	a := s.attending()
	here := s.nsp.space.Has(hub.Slot(s.slot.Load()), room)
	old, err := s.noteMeta(a, room, raw, here)
	if err != nil || !here {
		return err
	}
	if err := s.update(ctx, room, belfry.Amend); err != nil {
		_, _ = s.noteMeta(a, room, old, true)
		return fmt.Errorf("set metadata in %q: %w", room, err)
	}
	return nil
}

// noteMeta returns what it replaces.
func (s *Socket) noteMeta(a *attendance, room belfry.Room, raw json.RawMessage, here bool) (old json.RawMessage, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, again := a.meta[room]
	switch {
	case s.state.Load() == disconnected:
		return nil, ErrDisconnected
	case !here && !again && len(a.meta)-len(a.in) >= maxEarlyMeta:
		return nil, fmt.Errorf("metadata for more than %d rooms that the socket is not in", maxEarlyMeta)
	}
	a.meta[room] = raw
	return old, nil
}
