package hub

import (
	"context"
	"errors"
	"time"

	"github.com/seed-09a96375/belfry"
)

// ErrNoPresence says that the bus does not know who is in which room.
var ErrNoPresence = errors.New("this bus keeps no presence")

// Presence is the part of a bus that knows who is in a room and keeps its state.
type Presence interface {
	belfry.Presence
	belfry.RoomState
}

// Presence returns that part of the bus, or ErrNoPresence.
func (h *Hub) Presence() (Presence, error) {
	if p, ok := h.link.(Presence); ok {
		return p, nil
	}
	return nil, ErrNoPresence
}

// Enter makes a socket present in a room. See belfry.Presence.
func (sp *Space) Enter(ctx context.Context, s belfry.Stay, e belfry.Entrance) (belfry.Present, error) {
	p, err := sp.hub.Presence()
	if err != nil {
		return belfry.Present{}, err
	}
	ctx, cancel := sp.bounded(ctx)
	defer cancel()
	s.Namespace = sp.name
	return p.Enter(ctx, s, e)
}

// Exit ends that. See belfry.Presence.
func (sp *Space) Exit(ctx context.Context, s belfry.Stay, away time.Duration) error {
	p, err := sp.hub.Presence()
	if err != nil {
		return err
	}
	ctx, cancel := sp.bounded(ctx)
	defer cancel()
	s.Namespace = sp.name
	return p.Exit(ctx, s, away)
}

// Present returns who is in a room, on all nodes, in no order.
func (sp *Space) Present(ctx context.Context, room belfry.Room) ([]belfry.Present, error) {
	p, err := sp.hub.Presence()
	if err != nil {
		return nil, err
	}
	ctx, cancel := sp.bounded(ctx)
	defer cancel()
	return p.Members(ctx, belfry.Place{Namespace: sp.name, Room: room})
}

// CountPresent returns how many are in a room, on all nodes.
func (sp *Space) CountPresent(ctx context.Context, room belfry.Room) (int, error) {
	p, err := sp.hub.Presence()
	if err != nil {
		return 0, err
	}
	ctx, cancel := sp.bounded(ctx)
	defer cancel()
	return p.Count(ctx, belfry.Place{Namespace: sp.name, Room: room})
}

// SetEntry changes the state of a room. See belfry.RoomState.
func (sp *Space) SetEntry(ctx context.Context, room belfry.Room, e belfry.Entry, limit int) (belfry.Entry, error) {
	p, err := sp.hub.Presence()
	if err != nil {
		return belfry.Entry{}, err
	}
	ctx, cancel := sp.bounded(ctx)
	defer cancel()
	return p.Set(ctx, belfry.Place{Namespace: sp.name, Room: room}, e, limit)
}

// Entries returns the state of a room, in no order.
func (sp *Space) Entries(ctx context.Context, room belfry.Room) ([]belfry.Entry, error) {
	p, err := sp.hub.Presence()
	if err != nil {
		return nil, err
	}
	ctx, cancel := sp.bounded(ctx)
	defer cancel()
	return p.Entries(ctx, belfry.Place{Namespace: sp.name, Room: room})
}

// Go runs f, which may block, in a goroutine that Close of the hub waits for. Once
// Close has begun f does not run, and Go returns false.
func (sp *Space) Go(f func()) bool {
	h := sp.hub
	h.closing.RLock()
	defer h.closing.RUnlock()
	if h.closed.Load() {
		return false
	}
	h.answers.Go(f)
	return true
}

// bounded gives a context a deadline that has none.
func (sp *Space) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, sp.hub.opts.PublishTimeout)
}
