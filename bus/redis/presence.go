package redis

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/seed-09a96375/belfry"
)

// A script changes what Redis knows of a member and tells the room, in one step.
// The link remembers the members of its node, so that Redis can be told again; see
// attendance.

// Enter implements belfry.Presence.
func (l *link) Enter(ctx context.Context, s belfry.Stay, e belfry.Entrance) (belfry.Present, error) {
	if err := l.usable(ctx); err != nil {
		return belfry.Present{}, err
	}
	ref := reference(placeKey(s.Place), s.Socket)
	if err := l.attendance.begin(ctx, ref); err != nil {
		return belfry.Present{}, err
	}
	defer l.attendance.end(ref)
	kind := [...]string{belfry.Arrive: "arrive", belfry.Amend: "amend", belfry.Return: "return"}[e.Kind]
	p, err := l.arrive(ctx, kind, &attendee{stay: s, entrance: e, joined: time.Now().UTC().Truncate(time.Microsecond)})
	if errors.Is(err, belfry.ErrNotPresent) {
		return p, err
	}
	return p, failure(ctx, "enter a room", err)
}

// arrive runs the script, and remembers what Redis knows then.
func (l *link) arrive(ctx context.Context, kind string, a *attendee) (p belfry.Present, err error) {
	place := placeKey(a.stay.Place)
	f, err := factsOf(a, l.id)
	if err != nil {
		return p, err
	}
	r, _, err := l.room(ctx, func(s *roomScripts) script { return s.arrive },
		place, string(a.stay.Socket), l.holder(), holdText(a.stay.Hold), kind,
		f.joined, f.node, f.who, f.meta, millis(a.entrance.Back))
	if err != nil {
		return p, err
	}
	answer, err := words(r, 3)
	if err != nil {
		return p, err
	}
	if answer[0] != "ok" {
		return p, belfry.ErrNotPresent
	}
	if p, err = decodePresent(answer[2]); err != nil {
		return p, err
	}
	a.entrance.User, a.entrance.Meta, a.joined = p.User, p.Meta, p.JoinedAt
	l.attendance.note(reference(place, a.stay.Socket), a)
	l.heard(ctx, a.stay.Place, answer[1])
	return p, nil
}

// Exit implements belfry.Presence. If it fails the socket is away as soon as the
// link looks after its members, and leaves then.
func (l *link) Exit(ctx context.Context, s belfry.Stay, away time.Duration) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	ref := reference(placeKey(s.Place), s.Socket)
	if err := l.attendance.begin(ctx, ref); err != nil {
		return err
	}
	defer l.attendance.end(ref)
	l.attendance.forget(ref, s.Hold)
	return failure(ctx, "leave a room", l.exit(ctx, s.Place, s.Socket, holdText(s.Hold), away))
}

func (l *link) exit(ctx context.Context, at belfry.Place, id belfry.SocketID, hold string, away time.Duration) error {
	r, _, err := l.room(ctx, func(s *roomScripts) script { return s.exit },
		placeKey(at), string(id), l.holder(), hold, millis(max(away, 0)))
	if err != nil {
		return err
	}
	seq, err := r.AsUint64()
	if err == nil {
		l.heard(ctx, at, strconv.FormatUint(seq, 10))
	}
	return err
}

func holdText(hold uint64) string { return strconv.FormatUint(hold, 36) }

// Members implements belfry.Presence.
func (l *link) Members(ctx context.Context, at belfry.Place) ([]belfry.Present, error) {
	all, err := list(ctx, l, l.bus.names.members(placeKey(at)), decodePresent)
	return all, failure(ctx, "list members", err)
}

// Count implements belfry.Presence.
func (l *link) Count(ctx context.Context, at belfry.Place) (int, error) {
	var n int64
	err := l.read(ctx, func(ctx context.Context) (err error) {
		n, err = l.bus.client.Do(ctx, l.bus.client.B().Hlen().Key(l.bus.names.members(placeKey(at))).Build()).AsInt64()
		return err
	})
	return int(n), failure(ctx, "count members", err)
}

// list reads the records of a hash. What is not ours is left out.
func list[T any](ctx context.Context, l *link, key string, decode func(string) (T, error)) ([]T, error) {
	var records []string
	err := l.read(ctx, func(ctx context.Context) (err error) {
		records, err = l.bus.client.Do(ctx, l.bus.client.B().Hvals().Key(key).Build()).AsStrSlice()
		return err
	})
	if err != nil {
		return nil, err
	}
	all := make([]T, 0, len(records))
	for _, record := range records {
		v, err := decode(record)
		if err != nil {
			l.health.foreign(l, "record", err)
			continue
		}
		all = append(all, v)
	}
	return all, nil
}
