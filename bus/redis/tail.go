package redis

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

// tailKept is how long a part of the log stays in memory after its last use, and up
// to twice that.
const tailKept = 10 * time.Second

// tail keeps the end of the log in memory while clients come back: when a node
// dies, thousands do at the same time, and want nearly the same messages. Redis
// is read once for all of them.
type tail struct {
	link *link
	turn chan struct{} // held while reading

	mu sync.Mutex // guards the rest; also held by nobody who waits
	stretch
	asked [2]uint64 // the lowest position that was asked for, in this period and the one before
	begun time.Time // this period
}

// stretch is a part of the log.
type stretch struct {
	in    *incarnation
	after uint64            // what follows it is kept
	all   []*belfry.Message // one for each number after it
	hole  uint64            // the last of the numbers that is a hole, 0: none
}

func (t *tail) init(l *link) {
	t.link = l
	t.turn = make(chan struct{}, 1)
	t.asked = [2]uint64{math.MaxUint64, math.MaxUint64}
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
	s := t.stretch
	t.mu.Unlock()
	if s.in != in || after < s.after || after > s.end() {
		s = stretch{in: in, after: after}
	}
	if err := s.extend(ctx, t.link); err != nil {
		return nil, err
	}
	t.mu.Lock()
	t.stretch, t.asked[0] = s, min(t.asked[0], after)
	t.mu.Unlock()
	if after < s.hole {
		return nil, belfry.ErrNoOffset // who was there before it may have missed something
	}
	return s.all[after-s.after:], nil
}

func (s *stretch) end() uint64 { return s.after + uint64(len(s.all)) }

// extend appends what the log has after the end.
func (s *stretch) extend(ctx context.Context, l *link) error {
	for {
		next := s.end() + 1
		entries, seq, _, err := l.readPart(ctx, s.in, next, readCount)
		switch {
		case err != nil:
			return err
		case next > seq+1:
			return belfry.ErrNoOffset // nobody has had this number
		case next == seq+1:
			return nil
		case len(entries) == 0:
			return belfry.ErrNoOffset
		}
		for _, e := range entries {
			if e.seq != s.end()+1 {
				return belfry.ErrNoOffset
			}
			s.add(e)
		}
		if s.end() >= seq {
			return nil
		}
	}
}

// add appends an entry: an empty message for what nobody can replay.
func (s *stretch) add(e entry) {
	m, _, err := decodeMessage(e.body)
	if err != nil || !replayed(m) {
		m = &belfry.Message{}
	} else {
		m.Offset = s.in.offset(e.seq)
	}
	if isHole(e.body) {
		s.hole = e.seq
	}
	s.all = append(s.all, m)
}

// expire forgets, at the end of a period, what nobody has asked for in it and the one
// before, and what is more than a number of messages.
func (t *tail) expire(now time.Time, most int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.begun) < tailKept {
		return
	}
	from := max(min(t.asked[0], t.asked[1]), t.end()-min(t.end(), uint64(most)))
	t.asked, t.begun = [2]uint64{math.MaxUint64, t.asked[0]}, now
	switch {
	case from >= t.end():
		t.stretch = stretch{}
	case from > t.after:
		t.after, t.all = from, slices.Clone(t.all[from-t.after:])
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
