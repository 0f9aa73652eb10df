package memory

import (
	"context"
	"maps"
	"slices"

	"github.com/seed-09a96375/belfry"
)

// Set implements belfry.RoomState.
func (l *link) Set(ctx context.Context, at belfry.Place, e belfry.Entry, limit int) (set belfry.Entry, err error) {
	if changeErr := l.change(ctx, at, func() []*belfry.Message {
		var m *belfry.Message
		if set, m, err = l.bus.presence.set(at, e, limit); m == nil {
			return nil
		}
		return []*belfry.Message{m}
	}); changeErr != nil {
		return belfry.Entry{}, changeErr
	}
	return set, err
}

// Entries implements belfry.RoomState.
func (l *link) Entries(ctx context.Context, at belfry.Place) ([]belfry.Entry, error) {
	if err := l.usable(ctx); err != nil {
		return nil, err
	}
	p := l.bus.presence
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.rooms[at]; r != nil {
		return slices.Collect(maps.Values(r.entries)), nil
	}
	return nil, nil
}

// set returns the entry as it is now, and what the room is told; nothing if
// nothing has changed.
func (p *presence) set(at belfry.Place, e belfry.Entry, limit int) (belfry.Entry, *belfry.Message, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.rooms[at]
	if r == nil {
		return belfry.Entry{}, nil, belfry.ErrEmptyRoom
	}
	current, exists := r.entries[e.Key]
	current.Key = e.Key
	switch {
	case current.Version != e.Version:
		return belfry.Entry{}, nil, &belfry.ConflictError{Current: current}
	case e.Value == nil && !exists:
		return current, nil, nil
	case e.Owner != "" && r.members[e.Owner] == nil:
		return belfry.Entry{}, nil, belfry.ErrNotPresent
	case !exists && len(r.entries) >= limit:
		return belfry.Entry{}, nil, belfry.ErrTooManyEntries
	}
	e.Version = p.next()
	data, err := belfry.StateEvent(&e)
	if err != nil {
		return belfry.Entry{}, nil, err
	}
	if e.Value == nil {
		delete(r.entries, e.Key)
	} else {
		r.entries[e.Key] = e
	}
	return e, news(at, data), nil
}
