package redisstream

import (
	"context"
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
		if _, err := q.Trim(ctx); err != nil && ctx.Err() == nil {
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
	args := append([]string{strconv.Itoa(q.opts.MaxLength)}, q.opts.Groups...)
	n, err := q.run(ctx, q.scripts.trim, []string{q.names.stream}, args...).AsInt64()
	return n, failure(ctx, "trim", err)
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
