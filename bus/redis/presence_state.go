package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"

	"github.com/seed-09a96375/belfry"
)

// errDoubt: a call was repeated because its answer was lost, and what it finds now
// may be its own work or another's.
var errDoubt = fmt.Errorf("redis: set state: %w: it is not known whether the entry was set", belfry.ErrUnavailable)

// Set implements belfry.RoomState.
func (l *link) Set(ctx context.Context, at belfry.Place, e belfry.Entry, limit int) (belfry.Entry, error) {
	if err := l.usable(ctx); err != nil {
		return belfry.Entry{}, err
	}
	f, err := entryFactsOf(e)
	if err != nil {
		return belfry.Entry{}, err
	}
	r, doubt, err := l.room(ctx, func(s *roomScripts) script { return s.set },
		placeKey(at), e.Key, strconv.FormatUint(e.Version, 10), strconv.Itoa(limit), rand.Text()[:12],
		string(e.Owner), f.event, f.key, f.value)
	if err != nil {
		return belfry.Entry{}, failure(ctx, "set state", err)
	}
	answer, err := words(r, 2)
	if err != nil {
		return belfry.Entry{}, failure(ctx, "set state", err)
	}
	if answer[0] != "ok" {
		return belfry.Entry{}, refusal(e.Key, answer, doubt)
	}
	if e.Version, err = strconv.ParseUint(answer[1], 10, 64); err != nil {
		return belfry.Entry{}, failure(ctx, "set state", err)
	}
	l.heard(ctx, at, answer[1])
	return e, nil
}

// refusal makes an error of the answer of the script.
func refusal(key string, answer []string, doubt bool) error {
	switch word := answer[0]; {
	case doubt && (word == "conflict" || word == "empty"):
		return errDoubt
	case word == "conflict" && len(answer) == 2 && answer[1] == "":
		return &belfry.ConflictError{Current: belfry.Entry{Key: key}}
	case word == "conflict" && len(answer) == 2:
		current, err := decodeEntry(answer[1])
		if err != nil {
			return err
		}
		return &belfry.ConflictError{Current: current}
	case word == "empty":
		return belfry.ErrEmptyRoom
	case word == "absent":
		return belfry.ErrNotPresent
	case word == "full":
		return belfry.ErrTooManyEntries
	}
	return errors.Join(errPush, fmt.Errorf("set state: %q", answer))
}

// Entries implements belfry.RoomState.
func (l *link) Entries(ctx context.Context, at belfry.Place) ([]belfry.Entry, error) {
	all, err := list(ctx, l, l.bus.names.state(placeKey(at)), decodeEntry)
	return all, failure(ctx, "read state", err)
}
