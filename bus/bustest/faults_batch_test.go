package bustest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/seed-09a96375/belfry"
)

// PublishAll publishes one message after the other, unless that is overridden.
func (l *faultyLink) PublishAll(ctx context.Context, messages []*belfry.Message) (int, error) {
	if f := l.node.bus.batch; f != nil {
		return f(ctx, l, messages)
	}
	for i, m := range messages {
		if err := l.Publish(ctx, m); err != nil && !errors.Is(err, belfry.ErrDuplicate) {
			return i, err
		}
	}
	return len(messages), nil
}

// batchAs returns a bus that does something else with the messages of a batch.
func batchAs(f func(ctx context.Context, l *faultyLink, messages []*belfry.Message) (int, error)) func() *faulty {
	return func() *faulty { return &faulty{batch: f} }
}

func batchControls() []control {
	order, again, ends := "a batch comes in its order", "what was accepted before is accepted", "a batch ends where it fails"
	return []control{
		{"publishes a batch at once", order, "message ", batchAs(func(ctx context.Context, l *faultyLink, messages []*belfry.Message) (int, error) {
			errs := make([]error, len(messages))
			var all sync.WaitGroup
			for i := len(messages) - 1; i >= 0; i-- {
				all.Go(func() { errs[i] = l.Publish(ctx, messages[i]) })
			}
			all.Wait()
			return len(messages), errors.Join(errs...)
		})},
		{"keeps the order of rooms only", order, "message ", batchAs(func(ctx context.Context, l *faultyLink, messages []*belfry.Message) (int, error) {
			sorted := slices.Clone(messages)
			slices.SortStableFunc(sorted, func(a, b *belfry.Message) int {
				return slices.Compare(a.Target.Rooms, b.Target.Rooms)
			})
			for _, m := range sorted {
				if err := l.Publish(ctx, m); err != nil {
					return 0, err
				}
			}
			return len(messages), nil
		})},
		{"counts what it did not publish", order, "Deliver", batchAs(func(context.Context, *faultyLink, []*belfry.Message) (int, error) {
			return batchSize, nil
		})},
		{"ends at what was there before", again, "want all", batchAs(func(ctx context.Context, l *faultyLink, messages []*belfry.Message) (int, error) {
			for i, m := range messages {
				if err := l.Publish(ctx, m); err != nil {
					return i, err
				}
			}
			return len(messages), nil
		})},
		{"ignores ids in batches", again, "3 times", batchAs(func(ctx context.Context, l *faultyLink, messages []*belfry.Message) (int, error) {
			for i, m := range messages {
				m.ID = ""
				if err := l.Publish(ctx, m); err != nil {
					return i, err
				}
			}
			return len(messages), nil
		})},
		{"leaves out what fails", ends, "want 7", batchAs(func(ctx context.Context, l *faultyLink, messages []*belfry.Message) (n int, err error) {
			for _, m := range messages {
				if failed := l.Publish(ctx, m); failed != nil {
					err = failed
					continue
				}
				n++
			}
			return n, err
		})},
	}
}
