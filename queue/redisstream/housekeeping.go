package redisstream

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// alarmEvery is how often an alarm is repeated.
const alarmEvery = time.Minute

// housekeeping trims, and looks whether there is reason for an alarm.
func (q *Queue) housekeeping(ctx context.Context) {
	tick := time.NewTicker(q.opts.TrimEvery)
	defer tick.Stop()
	var alarmed time.Time
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		_, err := q.Trim(ctx)
		if err = errors.Join(err, q.boundDead(ctx)); err != nil && ctx.Err() == nil {
			q.opts.Logger.Warn("queue: trim", "queue", q.names.stream, "err", err)
			continue
		}
		s, err := q.Stats(ctx)
		if err != nil {
			continue // the next Trim tells
		}
		if q.opts.Observe != nil {
			q.opts.Observe(s)
		}
		if time.Since(alarmed) > alarmEvery && q.alarm(s) {
			alarmed = time.Now()
		}
	}
}

// Trim removes entries that all groups have acknowledged; of a stream without
// groups, those beyond MaxLength. It returns how many: Redis removes them by nodes
// of about a hundred, and keeps a few.
func (q *Queue) Trim(ctx context.Context) (int64, error) {
	args := append([]string{strconv.Itoa(q.opts.MaxLength), strconv.Itoa(trimMany)}, q.opts.Groups...)
	return q.trim(ctx, q.scripts.trim, []string{q.names.stream}, args...)
}

// trimMany is how many entries are removed at a time: Redis does nothing else
// meanwhile. Without it Redis stops at 10,000, which is less than may come.
const trimMany = 50_000

// trim runs a script until it has removed all that it may.
func (q *Queue) trim(ctx context.Context, s script, keys []string, args ...string) (removed int64, err error) {
	for {
		n, err := q.run(ctx, s, keys, args...).AsInt64()
		removed += n
		if err != nil || n < trimMany/2 {
			return removed, failure(ctx, "trim", err)
		}
	}
}

// boundDead drops dead letters that are too many. Consumers of any kind write them, so
// it is not done where they are written.
func (q *Queue) boundDead(ctx context.Context) error {
	if q.opts.MaxDead < 0 {
		return nil
	}
	dropped, err := q.trim(ctx, q.scripts.bound, []string{q.names.dead(), q.names.dropped()},
		strconv.Itoa(q.opts.MaxDead), strconv.Itoa(trimMany))
	if dropped > 0 {
		q.opts.Logger.Error("queue: dead letters dropped: there are too many; belfry queue dead shows why, belfry queue replay brings them back",
			"queue", q.names.stream, "dropped", dropped, "limit", q.opts.MaxDead)
	}
	return err
}

// alarm reports whether there was something to say.
func (q *Queue) alarm(s Stats) bool {
	said := false
	say := func(text string, args ...any) {
		q.opts.Logger.Error("queue: "+text, append([]any{"queue", s.Key}, args...)...)
		said = true
	}
	if limit := int64(q.opts.Alarm.Length); limit > 0 && s.Length > limit && len(s.Groups) > 0 {
		say("the stream is long: consumers are too slow, or a group has none", "length", s.Length, "limit", limit)
	}
	for _, g := range s.Groups {
		if limit := q.opts.Alarm.Age; limit > 0 && g.Oldest > limit {
			say("events wait for long: is the group consumed? a group that nobody needs keeps the stream from being trimmed, XGROUP DESTROY removes it",
				"group", g.Name, "oldest", g.Oldest, "limit", limit, "pending", g.Pending, "lag", g.Lag, "consumers", g.Consumers)
		}
	}
	return said
}
