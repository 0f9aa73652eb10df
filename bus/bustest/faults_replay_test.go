package bustest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/seed-09a96375/belfry"
)

func replayControls() []control {
	exact, joins := "replay gives exactly what follows each offset", "replay and live messages join without gap or double"
	return []control{
		{"replays the offset itself", exact, "published and", func() *faulty {
			var mu sync.Mutex
			at := map[belfry.Offset]*belfry.Message{}
			return &faulty{
				deliver: func(n *faultyNode, m *belfry.Message, _ int) {
					mu.Lock()
					at[m.Offset] = m
					mu.Unlock()
					n.Node.Deliver(m)
				},
				replay: func(ctx context.Context, l *faultyLink, ns string, after belfry.Offset, f func(*belfry.Message) error) error {
					mu.Lock()
					m := at[after]
					mu.Unlock()
					if err := f(m); err != nil {
						return err
					}
					return l.keeper.Replay(ctx, ns, after, f)
				},
			}
		}},
		{"skips a message", exact, "published and", alteredReplay(func(all []*belfry.Message) []*belfry.Message {
			return all[min(1, len(all)):]
		})},
		{"replays backwards", exact, "published and", alteredReplay(func(all []*belfry.Message) []*belfry.Message {
			slices.Reverse(all)
			return all
		})},
		{"mixes namespaces", exact, "published and", func() *faulty {
			return &faulty{replay: func(ctx context.Context, l *faultyLink, _ string, after belfry.Offset, f func(*belfry.Message) error) error {
				return errors.Join(l.keeper.Replay(ctx, namespace, after, f), l.keeper.Replay(ctx, "/other", after, f))
			}}
		}},
		{"goes on after an error", "replay ends with the first error of f", "Replay called f", func() *faulty {
			return &faulty{replay: func(ctx context.Context, l *faultyLink, ns string, after belfry.Offset, f func(*belfry.Message) error) error {
				var first error
				err := l.keeper.Replay(ctx, ns, after, func(m *belfry.Message) error {
					if err := f(m); first == nil {
						first = err
					}
					return nil
				})
				return errors.Join(err, first)
			}}
		}},
		{"replays too little", joins, "the log and what", alteredReplay(func([]*belfry.Message) []*belfry.Message { return nil })},
		{"replays twice", joins, "the log and what", alteredReplay(func(all []*belfry.Message) []*belfry.Message {
			return append(all, all...)
		})},
		{"loses a live message", joins, "the log and what", func() *faulty {
			return &faulty{deliver: func(n *faultyNode, m *belfry.Message, nth int) {
				if n.ID() == "node0" || n.ID() == "node1" || nth != 4 {
					n.Node.Deliver(m)
				}
			}}
		}},
		{"replays when closed", "a closed link replays nothing", "want ErrClosed", func() *faulty {
			return &faulty{replay: func(ctx context.Context, l *faultyLink, ns string, after belfry.Offset, f func(*belfry.Message) error) error {
				err := l.keeper.Replay(ctx, ns, after, f)
				if errors.Is(err, belfry.ErrClosed) {
					return nil
				}
				return err
			}}
		}},
	}
}
