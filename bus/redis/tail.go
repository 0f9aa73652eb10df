package redis

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

// tailKept is how long the end of the log stays in memory after its last use.
const tailKept = 10 * time.Second

// tail keeps the end of the log in memory while clients come back: when a node
// dies, thousands do at the same time, and want nearly the same messages. Redis
// is read once for all of them.
type tail struct {
	link *link
	turn chan struct{} // held while reading

	mu    sync.Mutex // guards the rest; also held by nobody who waits
	in    *incarnation
	after uint64            // what follows it is kept
	all   []*belfry.Message // one for each number after it
	used  time.Time
}

func (t *tail) init(l *link) {
	t.link = l
	t.turn = make(chan struct{}, 1)
}

// since returns all messages after a position, up to where the log stands now.
// The slice must not be changed.
func (t *tail) since(ctx context.Context, after uint64, in *incarnation) ([]*belfry.Message, error) {
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-t.turn }()
	t.mu.Lock()
	if t.in != in || after < t.after || after > t.after+uint64(len(t.all)) {
		t.in, t.after, t.all = in, after, nil
	}
	all, begin := t.all, t.after
	t.mu.Unlock()
	all, err := t.read(ctx, in, begin, all)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all, t.used = all, time.Now()
	return all[after-begin:], nil
}

// read appends what the log has after the last of all.
func (t *tail) read(ctx context.Context, in *incarnation, begin uint64, all []*belfry.Message) ([]*belfry.Message, error) {
	for {
		next := begin + uint64(len(all)) + 1
		entries, seq, _, err := t.link.readPart(ctx, in, next, readCount)
		switch {
		case err != nil:
			return nil, err
		case next > seq+1:
			return nil, belfry.ErrNoOffset // nobody has had this number
		case next == seq+1:
			return all, nil
		case len(entries) == 0:
			return nil, belfry.ErrNoOffset
		}
		for _, e := range entries {
			if e.seq != begin+uint64(len(all))+1 {
				return nil, belfry.ErrNoOffset
			}
			all = append(all, t.decode(in, e))
		}
		if entries[len(entries)-1].seq >= seq {
			return all, nil
		}
	}
}

// decode returns an empty message for what nobody can replay.
func (t *tail) decode(in *incarnation, e entry) *belfry.Message {
	m, _, err := decodeMessage(e.body)
	if err != nil || !replayed(m) {
		return &belfry.Message{}
	}
	m.Offset = in.offset(e.seq)
	return m
}

// expire forgets the messages if nobody has used them for so long.
func (t *tail) expire(unused time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all != nil && time.Since(t.used) > unused {
		t.in, t.after, t.all = nil, 0, nil
	}
}

// Replay implements belfry.Log. It stops with the first error of f, which it
// returns.
func (l *link) Replay(ctx context.Context, namespace string, after belfry.Offset, f func(*belfry.Message) error) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	p, ok := parseOffset(after)
	in := l.incarnation.Load()
	if !ok || p.epoch != in.name() {
		return belfry.ErrNoOffset
	}
	all, err := l.tail.since(ctx, p.number, in)
	switch {
	case errors.Is(err, belfry.ErrNoOffset), errors.Is(err, errEpoch):
		return belfry.ErrNoOffset
	case err != nil:
		return failure(ctx, "read the log", err)
	}
	for _, m := range all {
		if m.Offset == "" || m.Namespace != namespace {
			continue
		}
		if err := f(m); err != nil {
			return err
		}
	}
	return nil
}

// Position implements belfry.Log.
func (l *link) Position(ctx context.Context) (belfry.Offset, error) {
	if err := l.usable(ctx); err != nil {
		return "", err
	}
	in := l.incarnation.Load()
	at, err := l.top(ctx, in)
	if errors.Is(err, errEpoch) {
		in = l.incarnation.Load()
		at, err = l.top(ctx, in)
	}
	if err != nil {
		return "", failure(ctx, "read the position", err)
	}
	return in.offset(at.number), nil
}

// Before implements belfry.Log. What an earlier epoch holds comes before what a
// later one does. It is false if one of the two is no offset.
func (l *link) Before(a, b belfry.Offset) bool {
	x, ok := parseOffset(a)
	y, ok2 := parseOffset(b)
	return ok && ok2 && x.before(y)
}
