package bustest

import (
	"context"
	"sync"

	"github.com/seed-09a96375/belfry"
)

// remembers is a bus that keeps ids by key, in place of the one inside. Those of
// messages that could not be published stay if keep is set.
func remembers(key func(l *faultyLink, m *belfry.Message) string, keep bool) func() *faulty {
	return func() *faulty {
		var mu sync.Mutex
		seen := map[string]belfry.Offset{}
		return &faulty{publish: func(ctx context.Context, l *faultyLink, m *belfry.Message) error {
			if m.ID == "" || len(m.ID) > belfry.MaxID {
				return l.keeper.Publish(ctx, m)
			}
			mu.Lock()
			defer mu.Unlock()
			k := key(l, m)
			if o, ok := seen[k]; ok {
				m.Offset = o
				return belfry.ErrDuplicate
			}
			c := *m
			c.ID = ""
			err := l.keeper.Publish(ctx, &c)
			m.Origin, m.Offset = c.Origin, c.Offset
			if err == nil || keep {
				seen[k] = c.Offset
			}
			return err
		}}
	}
}

func idControls() []control {
	once, race, apart := "a message with an id is published once", "of those who publish one id at a time one is first", "ids of namespaces are apart"
	repeated, long := "to repeat a message with an id is safe after every error", "an id that is too long is refused"
	ignores := publishAs(func(m *belfry.Message) { m.ID = "" })
	byNode := remembers(func(l *faultyLink, m *belfry.Message) string { return string(l.node.ID()) + m.Namespace + " " + m.ID }, false)
	return []control{
		{"ignores ids", once, "want ErrDuplicate", ignores},
		{"ignores ids of unlogged messages", once, "want ErrDuplicate", publishAs(func(m *belfry.Message) {
			if m.Unlogged {
				m.ID = ""
			}
		})},
		{"keeps ids on each node", once, "on node 1", byNode},
		{"forgets the offset of the first", once, "want that of the first", func() *faulty {
			return &faulty{publish: func(ctx context.Context, l *faultyLink, m *belfry.Message) error {
				err := l.keeper.Publish(ctx, m)
				if err != nil {
					m.Offset = ""
				}
				return err
			}}
		}},
		{"keeps ids on each node, raced for", race, "want one", byNode},
		{"ignores ids that are raced for", race, "want one", ignores},
		{"has one memory for all namespaces", apart, "accepted before", remembers(func(_ *faultyLink, m *belfry.Message) string { return m.ID }, false)},
		{"joins namespace and id", apart, "accepted before", remembers(func(_ *faultyLink, m *belfry.Message) string { return m.Namespace + m.ID }, false)},
		{"takes no id for one", apart, "without an id", publishAs(func(m *belfry.Message) {
			if m.ID == "" {
				m.ID = "none"
			}
		})},
		{"remembers what it did not publish", repeated, "0 times", remembers(func(_ *faultyLink, m *belfry.Message) string { return m.Namespace + " " + m.ID }, true)},
		{"loses count of what it published", repeated, "times", func() *faulty {
			// The answer is lost, and the id with it.
			return &faulty{publish: func(ctx context.Context, l *faultyLink, m *belfry.Message) error {
				c := *m
				c.ID = ""
				_ = l.keeper.Publish(context.WithoutCancel(ctx), &c)
				m.Origin, m.Offset = c.Origin, c.Offset
				return ctx.Err()
			}}
		}},
		{"shortens ids", long, "bytes", publishAs(func(m *belfry.Message) { m.ID = m.ID[:min(len(m.ID), belfry.MaxID)] })},
	}
}
