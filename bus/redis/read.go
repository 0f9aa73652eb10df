package redis

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/redis/rueidis"
)

// errTrimmed: the log no longer has what was asked for.
var errTrimmed = errors.New("the log was trimmed")

// readCount is how many entries of the log one read brings.
const readCount = 64

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

// readPart reads the messages from a number on of at most count entries, and the
// number and time of the last message there is.
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
	ranges, err := answer[1].AsXRangeSlices()
	if err != nil {
		return nil, 0, 0, err
	}
	for _, r := range ranges {
		messages, err := entriesOf(r)
		if err != nil {
			l.health.foreign(l, "log", err)
		}
		all = append(all, messages...)
	}
	// The first entry may hold messages before the number.
	return slices.DeleteFunc(all, func(e entry) bool { return e.seq < from }), seq, stamp, nil
}

// entriesOf returns the messages of an entry of the log: pairs of fields c, the
// channel, and m, the body. The entry has the number of the last of them.
func entriesOf(r rueidis.XRangeSlice) (all []entry, err error) {
	seq, stamp, err := parseID(r.ID)
	if err != nil {
		return nil, err
	}
	channel := ""
	for _, f := range r.FieldValues {
		switch f.Field {
		case "c":
			channel = f.Value
		case "m":
			bodies, err := bodiesOf([]byte(f.Value))
			if err != nil {
				bodies = [][]byte{nil} // ignored and counted where it would be delivered
			}
			for _, body := range bodies {
				all = append(all, entry{stamp: stamp, channel: channel, body: body})
			}
		}
	}
	if len(all) == 0 {
		all = []entry{{stamp: stamp}} // not ours, but it has a number
	}
	if uint64(len(all)) > seq {
		return nil, errBody
	}
	for i := range all {
		all[i].seq = seq - uint64(len(all)-1-i)
	}
	return all, nil
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
	entries, seq, last, err := l.readPart(ctx, in, number, 1)
	switch {
	case err != nil:
		return false, err
	case len(entries) == 0: // trimmed, which does no harm if nothing came since
		return seq == number && last == stamp, nil
	}
	return entries[0].seq == number && entries[0].stamp == stamp, nil
}

// holdsOwn reports whether the log has a message of this node.
func (l *link) holdsOwn(in *incarnation, a acceptance) (bool, error) {
	ctx, cancel := context.WithTimeout(l.ctx, l.bus.opts.Timeout)
	defer cancel()
	entries, _, _, err := l.readPart(ctx, in, a.number, 1)
	if err != nil || len(entries) == 0 || entries[0].seq != a.number {
		return false, err
	}
	origin, count, ok := peekOrigin(entries[0].body)
	return ok && count == a.count && string(origin) == string(l.id), nil
}
