package socketio

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/seed-09a96375/belfry"
)

// Entry is one value of the state of a room.
type Entry = belfry.Entry

// ConflictError is an ErrConflict that has the entry that is there instead; its
// Version is 0 if there is none.
type ConflictError = belfry.ConflictError

var (
	// ErrConflict: the entry is not at the version that the caller has seen.
	ErrConflict = belfry.ErrConflict
	// ErrEmptyRoom: nobody is in the room, so that it can have no state.
	ErrEmptyRoom = belfry.ErrEmptyRoom
	// ErrNoEntry: the room has no entry of that key.
	ErrNoEntry = errors.New("no such entry in the state of the room")

	errKey = errors.New("a key must be valid UTF-8 and not empty")
)

// State is a small map that all nodes share about a room: who presents, which
// page is shown. It ends when the room empties. Members are told of changes by the
// event state; docs/rooms.md has what is in it.
type State struct {
	nsp  *Namespace
	room belfry.Room
}

// State of a room that Options.Presence takes.
func (n *Namespace) State(room belfry.Room) *State { return &State{n, room} }

// All returns all entries by key.
func (st *State) All(ctx context.Context) (map[string]Entry, error) {
	if err := st.nsp.ready(ctx, st.room); err != nil {
		return nil, err
	}
	entries, err := st.nsp.space.Entries(ctx, st.room)
	if err != nil {
		return nil, fmt.Errorf("state of %q: %w", st.room, err)
	}
	all := make(map[string]Entry, len(entries))
	for _, e := range entries {
		all[e.Key] = e
	}
	return all, nil
}

// Get returns one entry, or ErrNoEntry.
func (st *State) Get(ctx context.Context, key string) (Entry, error) {
	all, err := st.All(ctx)
	if err != nil {
		return Entry{}, err
	}
	e, ok := all[key]
	if !ok {
		return Entry{}, ErrNoEntry
	}
	return e, nil
}

// EntryOption says more about an entry that is set.
type EntryOption func(*Entry)

// OwnedBy ends the entry when s leaves the room or is gone, told by the event that
// a Delete makes. While s is away and may recover the entry stays. It fails with
// ErrNotInRoom if s is not in the room.
func OwnedBy(s *Socket) EntryOption {
	return func(e *Entry) { e.Owner = s.id }
}

// CompareAndSet sets an entry, if it is at that version: that of the entry that
// the caller has seen, 0 if there must be none. Of several callers with the same
// version, on whatever nodes, one succeeds; the others get a *ConflictError. A
// version is not the one before plus one: use the one that is returned.
//
// belfry.ErrUnavailable says that it is not known whether the entry was set: Get
// tells.
func (st *State) CompareAndSet(ctx context.Context, key string, value any, version uint64, o ...EntryOption) (Entry, error) {
	raw, err := bounded("value", value, st.limits().MaxValue)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Key: key, Value: raw, Version: version}
	for _, option := range o {
		option(&e)
	}
	return st.set(ctx, e)
}

// Delete ends an entry, if it is at that version. See CompareAndSet.
func (st *State) Delete(ctx context.Context, key string, version uint64) error {
	_, err := st.set(ctx, Entry{Key: key, Version: version})
	return err
}

func (st *State) set(ctx context.Context, e Entry) (Entry, error) {
	if e.Key == "" || !utf8.ValidString(e.Key) {
		return Entry{}, errKey
	}
	if err := sized("key", len(e.Key), st.limits().MaxKey); err != nil {
		return Entry{}, err
	}
	if err := st.nsp.ready(ctx, st.room); err != nil {
		return Entry{}, err
	}
	set, err := st.nsp.space.SetEntry(ctx, st.room, e, st.limits().MaxEntries)
	if err != nil {
		return Entry{}, fmt.Errorf("set state %q of %q: %w", e.Key, st.room, err)
	}
	return set, nil
}

func (st *State) limits() RoomLimits { return st.nsp.server.opts.RoomLimits }
