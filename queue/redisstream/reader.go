package redisstream

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/queue/consume"
)

// reader is a group of the queue as one of its consumers sees it. It implements
// consume.Store.
type reader struct {
	q               *Queue
	group, consumer string
	dedup           time.Duration
}

// Read implements consume.Store.
func (g *reader) Read(ctx context.Context, n int, wait time.Duration) ([]*consume.Entry, error) {
	c := g.q.client.B().Xreadgroup().Group(g.group, g.consumer).Count(int64(n)).Block(wait.Milliseconds()).
		Streams().Key(g.q.names.stream).Id(">").Build()
	streams, err := g.q.client.Do(ctx, c).AsXRead()
	if err != nil {
		return nil, g.trouble(ctx, "read", err)
	}
	return g.entries(ctx, streams[g.q.names.stream], nil)
}

// Reclaim implements consume.Store.
func (g *reader) Reclaim(ctx context.Context, n int, idle time.Duration) ([]*consume.Entry, error) {
	parts, err := g.q.run(ctx, g.q.scripts.reclaim, []string{g.q.names.stream},
		g.group, g.consumer, millis(idle), strconv.Itoa(n)).ToArray()
	if err != nil {
		return nil, g.trouble(ctx, "reclaim", err)
	}
	return g.delivered(ctx, parts)
}

// Mine implements consume.Store.
func (g *reader) Mine(ctx context.Context, after string, n int) ([]*consume.Entry, error) {
	from := "-"
	if after != "" {
		from = "(" + after
	}
	parts, err := g.q.run(ctx, g.q.scripts.mine, []string{g.q.names.stream},
		g.group, g.consumer, from, strconv.Itoa(n)).ToArray()
	if err != nil {
		return nil, g.trouble(ctx, "mine", err)
	}
	return g.delivered(ctx, parts)
}

// trouble is for errors while something is read. A group that is gone is made anew.
func (g *reader) trouble(ctx context.Context, doing string, err error) error {
	switch verdictOf(err) {
	case done: // nothing is there
		return nil
	case noGroup:
		return g.q.createGroups(ctx, append([]string{g.group}, g.q.opts.Groups...)...)
	}
	return failure(ctx, doing, err)
}

// delivered reads what a script has returned: entries, and their deliveries.
func (g *reader) delivered(ctx context.Context, parts []rueidis.RedisMessage) ([]*consume.Entry, error) {
	if len(parts) < 2 {
		return nil, fmt.Errorf("queue: answer of a script has %d parts", len(parts))
	}
	entries, err := parts[0].AsXRange()
	if err != nil {
		return nil, fmt.Errorf("queue: read entries: %w", err)
	}
	tries, err := parts[1].AsIntSlice()
	if err != nil {
		return nil, fmt.Errorf("queue: read deliveries: %w", err)
	}
	return g.entries(ctx, entries, tries)
}

// entries decodes them. Those that are for another group are acknowledged.
func (g *reader) entries(ctx context.Context, raw []rueidis.XRangeEntry, tries []int64) ([]*consume.Entry, error) {
	var others []string
	all := make([]*consume.Entry, 0, len(raw))
	for i, r := range raw {
		if only := r.FieldValues[fieldFor]; only != "" && only != g.group {
			others = append(others, r.ID)
			continue
		}
		e := decode(r.ID, r.FieldValues)
		if tries != nil {
			e.Tries = int(tries[i])
		}
		all = append(all, e)
	}
	if len(others) > 0 {
		ack := g.q.client.B().Xack().Key(g.q.names.stream).Group(g.group).Id(others...).Build()
		if err := g.q.client.Do(ctx, ack).Error(); err != nil {
			return nil, g.trouble(ctx, "pass by what is for other groups", err)
		}
	}
	return all, nil
}

// Handled implements consume.Store.
func (g *reader) Handled(ctx context.Context, e *consume.Entry) (bool, error) {
	n, err := g.q.client.Do(ctx, g.q.client.B().Exists().Key(g.q.names.done(g.group, e.ID)).Build()).AsInt64()
	return n > 0, failure(ctx, "ask whether an event was handled", err)
}

// Hold implements consume.Store.
func (g *reader) Hold(ctx context.Context, tries map[string]int) (lost []string, err error) {
	return g.hold(ctx, 0, tries, 0)
}

// Release implements consume.Store. The entries look as if nobody had held them for
// long; the next delivery counts as the one that was not begun.
func (g *reader) Release(ctx context.Context, tries map[string]int) error {
	_, err := g.hold(ctx, 24*time.Hour, tries, 1)
	return err
}

// holdMany is how many entries one script is about.
const holdMany = 500

func (g *reader) hold(ctx context.Context, idle time.Duration, tries map[string]int, less int) (lost []string, err error) {
	head := []string{g.group, g.consumer, millis(idle)}
	args := head[:len(head):len(head)]
	flush := func() {
		more, failed := g.q.run(ctx, g.q.scripts.hold, []string{g.q.names.stream}, args...).AsStrSlice()
		if failed != nil && err == nil {
			err = failure(ctx, "hold events", failed)
		}
		lost, args = append(lost, more...), head[:len(head):len(head)]
	}
	for entry, n := range tries {
		args = append(args, entry, strconv.Itoa(max(n-less, 0)))
		if len(args) >= holdMany {
			flush()
		}
	}
	if len(args) > len(head) {
		flush()
	}
	return lost, err
}

// Waits implements consume.Store.
func (g *reader) Waits(ctx context.Context, entry string) (bool, error) {
	c := g.q.client.B().Xpending().Key(g.q.names.stream).Group(g.group).Start(entry).End(entry).Count(1).Build()
	pending, err := g.q.client.Do(ctx, c).ToArray()
	switch verdictOf(err) {
	case done, noGroup:
		return len(pending) > 0, nil
	case fatal: // what is named is no entry
		return false, nil
	}
	return false, failure(ctx, "look at an event", err)
}

// Settle implements consume.Store.
func (g *reader) Settle(ctx context.Context, e *consume.Entry, r consume.Result) (first bool, err error) {
	text, err := answerOf(e, r.Answer)
	if err != nil {
		return false, fmt.Errorf("%w: %v", consume.ErrRefused, err)
	}
	args := []string{g.group, e.Entry, millis(g.dedup), text, millis(g.q.opts.Window)}
	for _, words := range r.With {
		args = append(append(args, strconv.Itoa(len(words))), words...)
	}
	keys := []string{g.q.names.stream, g.q.names.done(g.group, e.ID), g.answerKey(e)}
	n, err := g.q.run(ctx, g.q.scripts.settle, keys, args...).AsInt64()
	if answered, ok := rueidis.IsRedisErr(err); ok && strings.HasPrefix(answered.Error(), "REFUSED ") {
		return false, fmt.Errorf("%w: %s", consume.ErrRefused, strings.TrimPrefix(answered.Error(), "REFUSED "))
	}
	if verdictOf(err) == noGroup {
		return false, nil // it is gone with its group
	}
	return n == 1, failure(ctx, "acknowledge", err)
}

// answerOf returns what is to be answered, "" if nobody waits or nothing is said.
func answerOf(e *consume.Entry, a *belfry.Answer) (string, error) {
	if a == nil || !e.Reply {
		return "", nil
	}
	return encodeAnswer(a)
}

// answerKey is the key that the entry names, or the one that it would.
func (g *reader) answerKey(e *consume.Entry) string {
	if key := e.Fields[fieldReply]; key != "" {
		return key
	}
	return g.q.names.answer(e.ID)
}

// Bury implements consume.Store.
func (g *reader) Bury(ctx context.Context, e *consume.Entry, reason string) error {
	// The reason is for those who run the backend, not for clients.
	text, err := answerOf(e, &belfry.Answer{Error: "the event could not be handled"})
	if err != nil {
		return err
	}
	args := []string{
		g.group, e.Entry, text, millis(g.q.opts.Window),
		deadEntry, e.Entry, deadGroup, g.group, deadReason, reason,
		deadTries, strconv.Itoa(e.Tries), deadTime, time.Now().UTC().Format(time.RFC3339Nano),
	}
	keys := []string{g.q.names.stream, g.q.names.dead(), g.answerKey(e)}
	err = g.q.run(ctx, g.q.scripts.bury, keys, args...).Error()
	if verdictOf(err) == noGroup {
		return nil
	}
	return failure(ctx, "bury", err)
}
