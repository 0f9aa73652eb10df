package socketio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
)

// Present is a member of a room, on any node: its id, user, metadata, since when,
// and where.
type Present = belfry.Present

var (
	// ErrNoPresence: Options.Presence does not take this room.
	ErrNoPresence = errors.New("this room keeps no presence: see Options.Presence")
	// ErrNotInRoom: the socket is not in the room.
	ErrNotInRoom = belfry.ErrNotPresent
	// ErrReservedRoom: names of rooms that begin with a zero byte are Belfry's own.
	ErrReservedRoom = errors.New("room names must not begin with a zero byte")
)

// RoomPattern selects rooms for Options.Presence by their names: * stands for any
// characters, everything else for itself. "meet:*" takes all rooms of that prefix.
func RoomPattern(patterns ...string) func(belfry.Room) bool {
	parts := make([][]string, len(patterns))
	for i, p := range patterns {
		parts[i] = strings.Split(p, "*")
	}
	return func(room belfry.Room) bool {
		return slices.ContainsFunc(parts, func(p []string) bool { return matches(string(room), p) })
	}
}

// matches reports whether s is the parts with anything between them.
func matches(s string, parts []string) bool {
	last := len(parts) - 1
	rest, ok := strings.CutPrefix(s, parts[0])
	if !ok || last == 0 {
		return ok && rest == ""
	}
	for _, part := range parts[1:last] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[last])
}

// Presence tells who is in a room, on all nodes. Members are told of changes by
// the events presence:join, presence:update and presence:leave; docs/rooms.md has
// what is in them and how to join them with a list.
type Presence struct {
	nsp  *Namespace
	room belfry.Room
}

// Presence of a room that Options.Presence takes.
func (n *Namespace) Presence(room belfry.Room) *Presence { return &Presence{n, room} }

// Members returns who is in the room, in the order in which they joined. Who has
// lost its connection is there until it can no longer recover.
func (p *Presence) Members(ctx context.Context) ([]Present, error) {
	if err := p.nsp.ready(ctx, p.room); err != nil {
		return nil, err
	}
	all, err := p.nsp.space.Present(ctx, p.room)
	if err != nil {
		return nil, fmt.Errorf("members of %q: %w", p.room, err)
	}
	slices.SortFunc(all, func(a, b Present) int {
		return cmp.Or(a.JoinedAt.Compare(b.JoinedAt), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// Count returns how many are in the room.
func (p *Presence) Count(ctx context.Context) (int, error) {
	if err := p.nsp.ready(ctx, p.room); err != nil {
		return 0, err
	}
	n, err := p.nsp.space.CountPresent(ctx, p.room)
	if err != nil {
		return 0, fmt.Errorf("count members of %q: %w", p.room, err)
	}
	return n, nil
}

// ready says why a room has no presence, and waits until those who have left it
// on this node are gone.
func (n *Namespace) ready(ctx context.Context, room belfry.Room) error {
	switch {
	case n.space == nil:
		return errParent
	case !n.keepsPresence(room):
		return ErrNoPresence
	}
	return n.departures.wait(ctx, room)
}

func (n *Namespace) keepsPresence(room belfry.Room) bool {
	f := n.server.opts.Presence
	return f != nil && !hub.Reserved(room) && f(room)
}
