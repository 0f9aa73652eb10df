package redisstream

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/source/lease"
)

const (
	// ackEvery is how long a record that is done with may wait to be acknowledged, so
	// that many are at once. What is not when the node dies comes again.
	ackEvery = 200 * time.Millisecond
	// ackMost is how many are acknowledged at once.
	ackMost = 1000
	// awaitTime is how long one look for news takes.
	awaitTime = time.Second
	// commandTime bounds a command.
	commandTime = 5 * time.Second
)

func (r *reader) keys() []string { return []string{r.o.Stream, r.lease.Key} }

// fetch acknowledges what is done with and reads the next entries, none if there are
// none.
func (r *reader) fetch(ctx context.Context) ([]entry, error) {
	if len(r.acks) > ackMost {
		if err := r.acknowledge(ctx, 0); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	args := append([]string{
		r.term.Token, r.o.Group, consumer, r.after, strconv.Itoa(r.o.Batch), r.start,
	}, r.acks...)
	entries, last, err := parseRead(r.read.Exec(ctx, r.o.Client, r.keys(), args))
	if err == nil {
		r.last, r.start = last, "0" // a group that goes missing later begins with all
		r.acks, r.acked = nil, time.Now()
	}
	return entries, err
}

// await returns when there is something after what the group has got, or soon.
func (r *reader) await(ctx context.Context) error {
	if err := r.acknowledge(ctx, 0); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, awaitTime+commandTime)
	defer cancel()
	c := r.o.Client.B().Xread().Count(1).Block(awaitTime.Milliseconds()).Streams().Key(r.o.Stream).Id(r.last).Build()
	err := r.o.Client.Do(ctx, c).Error()
	if rueidis.IsRedisNil(err) {
		return nil
	}
	return err
}

// acknowledge acknowledges what is done with, unless that was done within the last
// wait. It does so also when ctx has ended.
func (r *reader) acknowledge(ctx context.Context, wait time.Duration) error {
	if len(r.acks) == 0 || len(r.acks) < ackMost && time.Since(r.acked) < wait {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commandTime)
	defer cancel()
	for len(r.acks) > 0 {
		n := min(len(r.acks), ackMost)
		args := append([]string{r.term.Token, r.o.Group}, r.acks[:n]...)
		if err := r.done.Exec(ctx, r.o.Client, r.keys(), args).Error(); err != nil {
			if err = failure(err); !errors.Is(err, errFenced) {
				err = fmt.Errorf("acknowledge: %w", err)
			}
			return err
		}
		r.acks = r.acks[n:]
	}
	r.acks, r.acked = nil, time.Now()
	return nil
}

// Fields that a dead letter has besides those of its entry. They are those of dead
// letters of queues.
const (
	deadEntry  = "dead:entry"
	deadGroup  = "dead:group"
	deadReason = "dead:reason"
	deadTime   = "dead:time" // RFC 3339
)

// Dead is the key of the stream with the dead letters of another.
func Dead(stream string) string { return lease.Beside(stream, "dead") }

// putAside makes a dead letter of a record.
func (r *reader) putAside(ctx context.Context, rec *belfry.Record, reason error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commandTime)
	defer cancel()
	id := r.entryOf(rec)
	args := []string{r.term.Token, r.o.Group, id, strconv.Itoa(r.o.MaxDead)}
	for name, value := range rec.Meta {
		args = append(args, name, value)
	}
	args = append(args, deadEntry, id, deadGroup, r.o.Group, deadReason, poisonText(reason), deadTime, time.Now().UTC().Format(time.RFC3339Nano))
	if err := r.bury.Exec(ctx, r.o.Client, append(r.keys(), Dead(r.o.Stream)), args).Error(); err != nil {
		return failure(err)
	}
	r.o.Logger.Warn("source: dead letter", "stream", r.o.Stream, "entry", id, "reason", poisonText(reason))
	return nil
}

// Lag implements belfry.LagReporter. A stream that is not there yet has none.
func (s *Source) Lag(ctx context.Context) (belfry.Lag, error) {
	b := s.o.Client.B()
	groups, err := s.o.Client.Do(ctx, b.XinfoGroups().Key(s.o.Stream).Build()).ToArray()
	if e, answered := rueidis.IsRedisErr(err); answered && strings.HasSuffix(e.Error(), "no such key") {
		return belfry.Lag{}, nil
	}
	if err != nil {
		return belfry.Lag{}, fmt.Errorf("look at the groups of %s: %w", s.o.Stream, err)
	}
	for _, g := range groups {
		info, err := g.AsMap()
		if err != nil {
			return belfry.Lag{}, err
		}
		if name := info["name"]; text(name) != s.o.Group {
			continue
		}
		lag, pending := info["lag"], info["pending"]
		waiting, _ := lag.AsInt64() // null after entries were deleted: not known
		held, _ := pending.AsInt64()
		last := info["last-delivered-id"]
		return belfry.Lag{Records: waiting + held, Age: s.oldest(ctx, held > 0, text(last))}, nil
	}
	return belfry.Lag{}, nil
}

func text(m rueidis.RedisMessage) string {
	s, _ := m.ToString()
	return s
}

// oldest is the age of the oldest entry that is not done with.
func (s *Source) oldest(ctx context.Context, pending bool, last string) time.Duration {
	b, from := s.o.Client.B(), "("+last
	if pending {
		list, err := s.o.Client.Do(ctx, b.Xpending().Key(s.o.Stream).Group(s.o.Group).Start("-").End("+").Count(1).Build()).ToArray()
		if err == nil && len(list) > 0 {
			if one, err := list[0].ToArray(); err == nil && len(one) > 0 {
				from = text(one[0])
			}
		}
	}
	next, err := s.o.Client.Do(ctx, b.Xrange().Key(s.o.Stream).Start(from).End("+").Count(1).Build()).AsXRange()
	if err != nil || len(next) == 0 {
		return 0
	}
	at := timeOf(next[0].ID)
	if at.IsZero() {
		return 0
	}
	return max(time.Since(at), 0)
}
