package redis

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-09a96375/belfry"
)

// batchMessages bounds the messages of a batch that go in one call. It is larger than
// commitMessages since their publisher waits for a call before it makes the next: where
// Redis writes each call to its disk, that is what a batch costs.
const batchMessages = 256

// PublishAll implements belfry.Batcher. The messages go in few calls of a script, each
// of which Redis accepts or refuses as a whole. What fails so is then done message by
// message, as Publish does it: it waits while Redis is away.
func (l *link) PublishAll(ctx context.Context, messages []*belfry.Message) (accepted int, err error) {
	if err := l.usable(ctx); err != nil {
		return 0, err
	}
	all, wrong := l.commitAll(messages)
	defer func() {
		for _, c := range all {
			l.pending.forget(c.p)
		}
	}()
	accepted, waits, err := l.sendAll(ctx, all)
	for i, p := range waits {
		if p == nil || p.isDelivered() {
			continue
		}
		if failed := l.await(ctx, p); failed != nil && !p.isDelivered() {
			accepted, err = i, failed
			break
		}
	}
	switch {
	case err == nil:
		return accepted, wrong
	case l.closed.Load():
		return accepted, belfry.ErrClosed
	}
	return accepted, failure(ctx, "publish", err)
}

// commitAll makes the commits of messages, up to one that cannot be published.
func (l *link) commitAll(messages []*belfry.Message) (all []*commit, wrong error) {
	all = make([]*commit, 0, len(messages))
	for _, m := range messages {
		if wrong = checkID(m); wrong != nil {
			break
		}
		p := newPublication(m, l.progress.now())
		p.sure = l.echoes(p)
		l.pending.add(p)
		all = append(all, newCommit(p, encodeMessage(m, l.id, p.count)))
	}
	return all, wrong
}

func checkID(m *belfry.Message) error {
	if len(m.ID) > belfry.MaxID {
		return fmt.Errorf("redis: publish: Message.ID has %d bytes, at most %d are allowed", len(m.ID), belfry.MaxID)
	}
	return nil
}

// sendAll publishes, call after call. It returns how many are accepted, and for each of
// these the publication if it will be delivered here.
func (l *link) sendAll(ctx context.Context, all []*commit) (accepted int, waits []*publication, err error) {
	waits = make([]*publication, 0, len(all))
	for rest := all; len(rest) > 0; {
		part := rest[:together(rest)]
		rest = rest[len(part):]
		if err := l.commits.doAll(ctx, part); err != nil {
			return len(waits), waits, err
		}
		for _, c := range part {
			comes, err := l.conclude(ctx, c)
			if err != nil {
				return len(waits), waits, err
			}
			if comes {
				waits = append(waits, c.p)
			} else {
				waits = append(waits, nil)
			}
		}
	}
	return len(waits), waits, nil
}

// together is how many of the first go in one call. It marks them.
func together(all []*commit) int {
	n, size := 0, 0
	for n < min(len(all), batchMessages) {
		size += len(all[n].body)
		if n > 0 && size > commitBytes {
			break
		}
		n++
	}
	for i, c := range all[:n] {
		c.ordered, c.behind = true, n-1-i
	}
	return n
}

// conclude does with the outcome of a commit what Publish does. It reports whether the
// message will be delivered here. A message that was published before is accepted.
func (l *link) conclude(ctx context.Context, c *commit) (comes bool, err error) {
	back, err := false, c.err
	if err == nil {
		back, err = l.outcome(c.p, c)
	}
	if err != nil {
		back, err = l.afterFailure(ctx, c.p, c.body, c.generation, err)
	}
	switch {
	case errors.Is(err, belfry.ErrDuplicate), err != nil && c.p.isDelivered():
		return false, nil
	case err != nil || !back:
		return false, err
	}
	return l.accepted(ctx, c.p)
}
