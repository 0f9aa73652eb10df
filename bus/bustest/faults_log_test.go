package bustest

import (
	"context"
	"errors"
	"sync"

	"github.com/seed-09a96375/belfry"
)

// alteredReplay passes what Replay gives through alter.
func alteredReplay(alter func(all []*belfry.Message) []*belfry.Message) func() *faulty {
	return func() *faulty {
		return &faulty{replay: func(ctx context.Context, l *faultyLink, ns string, after belfry.Offset, f func(*belfry.Message) error) error {
			var all []*belfry.Message
			if err := l.keeper.Replay(ctx, ns, after, func(m *belfry.Message) error { all = append(all, m); return nil }); err != nil {
				return err
			}
			for _, m := range alter(all) {
				if err := f(m); err != nil {
					return err
				}
			}
			return nil
		}}
	}
}

func logControls() []control {
	what := "what is to be logged is logged, nothing else"
	unknown, trimmed := "offsets that the log does not know are refused", "offsets that the log no longer reaches are refused"
	return []control{
		{"logs volatile messages", what, "got the offset", publishAs(func(m *belfry.Message) { m.Volatile = false })},
		{"does not log attachments", what, "got the offset", publishAs(func(m *belfry.Message) { m.Unlogged = m.Unlogged || len(m.Attachments) > 0 })},
		{"loses what it logged", what, "were logged", alteredReplay(func(all []*belfry.Message) []*belfry.Message { return all[:len(all)-1] })},
		{"has an old position", "position is before what follows", "published and replayed", func() *faulty {
			var mu sync.Mutex
			var first belfry.Offset
			return &faulty{position: func(ctx context.Context, l *faultyLink) (belfry.Offset, error) {
				mu.Lock()
				defer mu.Unlock()
				if first != "" {
					return first, nil
				}
				var err error
				first, err = l.keeper.Position(ctx)
				return first, err
			}}
		}},
		{"compares offsets as text", "before is an order", "Before", func() *faulty {
			return &faulty{before: func(_ *faultyLink, a, b belfry.Offset) bool { return a < b }}
		}},
		{"replays all for an unknown offset", unknown, "want ErrNoOffset", func() *faulty { return onUnknown(true) }},
		{"replays nothing for an unknown offset", unknown, "want ErrNoOffset", func() *faulty { return onUnknown(false) }},
		{"forgets that it trimmed", trimmed, "want ErrNoOffset", func() *faulty { return onUnknown(false) }},
	}
}

// publishAs publishes a changed copy.
func publishAs(change func(m *belfry.Message)) func() *faulty {
	return func() *faulty {
		return &faulty{publish: func(ctx context.Context, l *faultyLink, m *belfry.Message) error {
			c := *m
			change(&c)
			err := l.keeper.Publish(ctx, &c)
			m.Origin, m.Offset = c.Origin, c.Offset
			return err
		}}
	}
}

// onUnknown replays all or nothing where the log has no such offset.
func onUnknown(all bool) *faulty {
	return &faulty{replay: func(ctx context.Context, l *faultyLink, ns string, after belfry.Offset, f func(*belfry.Message) error) error {
		err := l.keeper.Replay(ctx, ns, after, f)
		if !errors.Is(err, belfry.ErrNoOffset) {
			return err
		}
		if all {
			return f(event("m", to("room")))
		}
		return nil
	}}
}
