package redisstream

import (
	"context"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// Stats are the figures of a queue.
type Stats struct {
	Key     string       `json:"key"`     // of the stream
	Length  int64        `json:"length"`  // entries that are not trimmed
	Dead    int64        `json:"dead"`    // dead letters
	Dropped int64        `json:"dropped"` // dead letters that MaxDead has cost, since the queue is there
	Groups  []GroupStats `json:"groups"`
}

// GroupStats are those of a group.
type GroupStats struct {
	Name      string `json:"name"`
	Consumers int64  `json:"consumers"`
	Pending   int64  `json:"pending"` // delivered, and not acknowledged
	// Lag is the number of entries that no consumer has got yet; -1 if Redis cannot
	// tell, after entries were deleted by hand.
	Lag int64 `json:"lag"`
	// Oldest is the age of the oldest entry that is not acknowledged. 0: there is
	// none.
	Oldest time.Duration `json:"oldest"`
	Last   string        `json:"last"` // the last entry that was delivered
}

// Stats returns the figures as they are now. A stream that is not there has none.
func (q *Queue) Stats(ctx context.Context) (Stats, error) {
	b, s := q.client.B(), Stats{Key: q.names.stream}
	r := q.client.DoMulti(
		ctx,
		b.Xlen().Key(s.Key).Build(),
		b.Xlen().Key(q.names.dead()).Build(),
		b.XinfoGroups().Key(s.Key).Build(),
		b.Get().Key(q.names.dropped()).Build(),
	)
	var err error
	if s.Length, err = r[0].AsInt64(); err == nil {
		s.Dead, err = r[1].AsInt64()
	}
	if err == nil && !rueidis.IsRedisNil(r[3].Error()) {
		s.Dropped, err = r[3].AsInt64()
	}
	if err != nil || s.Length == 0 && isNoKey(r[2].Error()) {
		return s, failure(ctx, "look at the queue", err)
	}
	groups, err := r[2].ToArray()
	if err != nil {
		return s, failure(ctx, "look at the groups", err)
	}
	for _, g := range groups {
		if err := q.addGroup(ctx, &s, g); err != nil {
			return s, failure(ctx, "look at a group", err)
		}
	}
	return s, nil
}

func isNoKey(err error) bool {
	e, answered := rueidis.IsRedisErr(err)
	return answered && strings.HasSuffix(e.Error(), "no such key")
}

func (q *Queue) addGroup(ctx context.Context, s *Stats, m rueidis.RedisMessage) error {
	fields, err := m.AsMap()
	if err != nil {
		return err
	}
	number := func(name string) int64 {
		v := fields[name]
		n, err := v.AsInt64()
		if err != nil {
			return -1
		}
		return n
	}
	text := func(name string) string {
		v := fields[name]
		t, _ := v.ToString() // it is there since Redis 5
		return t
	}
	g := GroupStats{
		Name: text("name"), Consumers: number("consumers"), Pending: number("pending"), Lag: number("lag"),
		Last: text("last-delivered-id"),
	}
	g.Oldest, err = q.oldest(ctx, g)
	s.Groups = append(s.Groups, g)
	return err
}

// oldest is the age of the first entry that is pending, or else of the first that
// was not delivered, by the clock of Redis.
func (q *Queue) oldest(ctx context.Context, g GroupStats) (time.Duration, error) {
	b := q.client.B()
	r := q.client.DoMulti(
		ctx,
		b.Xpending().Key(q.names.stream).Group(g.Name).Build(),
		b.Xrange().Key(q.names.stream).Start("("+g.Last).End("+").Count(1).Build(),
		b.Time().Build(),
	)
	pending, err := r[0].ToArray()
	if err != nil {
		return 0, err
	}
	waiting, err := r[1].AsXRange()
	if err != nil {
		return 0, err
	}
	now, err := r[2].AsIntSlice()
	if err != nil || len(now) == 0 {
		return 0, err
	}
	entry := ""
	if n, err := pending[0].AsInt64(); err == nil && n > 0 {
		entry, _ = pending[1].ToString() // it is there if the number is
	} else if len(waiting) > 0 {
		entry = waiting[0].ID
	}
	if entry == "" {
		return 0, nil
	}
	return max(time.Unix(now[0], 0).Sub(entryTime(entry)), time.Millisecond), nil
}
