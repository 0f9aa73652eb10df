package redis

import (
	"context"
	"errors"
	"strconv"

	"github.com/redis/rueidis"
)

// errTrimmed: the log no longer has what was asked for.
var errTrimmed = errors.New("the log was trimmed")

// readCount is how many messages one read brings.
const readCount = 256

// readLog calls f for every message of the log after a number, in order, up to
// where the log stands.
func (l *link) readLog(ctx context.Context, after uint64, f func(entry) error) error {
	in := l.incarnation.Load()
	for {
		entries, seq, _, err := l.readPart(ctx, in, after+1, readCount)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := f(e); err != nil {
				return err
			}
			after = e.seq
		}
		switch {
		case after >= seq:
			return nil
		case len(entries) == 0:
			return errTrimmed
		}
	}
}

// readPart reads at most count messages from a number on, and the number and
// time of the last message there is.
func (l *link) readPart(ctx context.Context, in *incarnation, from uint64, count int) (all []entry, seq, stamp uint64, err error) {
	n := l.bus.names
	r, err := l.runIn(ctx, in, in.scripts.read, []string{n.seq(), n.log()},
		strconv.FormatUint(from, 10), strconv.Itoa(count))
	if err != nil {
		return nil, 0, 0, err
	}
	answer, err := r.ToArray()
	if err != nil || len(answer) != 2 {
		return nil, 0, 0, errors.Join(errPush, err)
	}
	text, err := answer[0].ToString()
	if err != nil {
		return nil, 0, 0, err
	}
	seq, stamp, err = parseID(text)
	if err != nil {
		return nil, 0, 0, err
	}
	ranges, err := answer[1].AsXRange()
	if err != nil {
		return nil, 0, 0, err
	}
	return l.entries(ranges), seq, stamp, nil
}

func (l *link) entries(ranges []rueidis.XRangeEntry) []entry {
	entries := make([]entry, 0, len(ranges))
	for _, r := range ranges {
		seq, stamp, err := parseID(r.ID)
		if err != nil {
			l.health.foreign(l, "log", err)
			continue
		}
		entries = append(entries, entry{seq, stamp, r.FieldValues["c"], []byte(r.FieldValues["m"])})
	}
	return entries
}

// top returns where the log stands.
func (l *link) top(ctx context.Context, in *incarnation) (place, error) {
	_, seq, _, err := l.readPart(ctx, in, 1, 0)
	return place{in.counter, seq}, err
}

// holds reports whether the log has this very message.
func (l *link) holds(in *incarnation, number, stamp uint64) (bool, error) {
	if number == 0 {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(l.ctx, l.bus.opts.Timeout)
	defer cancel()
	entries, _, _, err := l.readPart(ctx, in, number, 1)
	if err != nil || len(entries) == 0 {
		return false, err
	}
	return entries[0].seq == number && entries[0].stamp == stamp, nil
}
