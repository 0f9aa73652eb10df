package queuetest

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/queue/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// broken is a queue that does one thing wrong.
type broken struct {
	Queue
	append  func(context.Context, Queue, *belfry.Event) error
	answer  func(context.Context, Queue, string, *belfry.Answer) error
	handler func(belfry.Handler) belfry.Handler
	options func(*belfry.ConsumeOptions)
	hasty   bool           // Consume does not end when it returns
	left    sync.WaitGroup // what goes on then
}

func (b *broken) Append(ctx context.Context, e *belfry.Event) error {
	if b.append != nil {
		return b.append(ctx, b.Queue, e)
	}
	return b.Queue.Append(ctx, e)
}

func (b *broken) Answer(ctx context.Context, id string, a *belfry.Answer) error {
	if b.answer != nil {
		return b.answer(ctx, b.Queue, id, a)
	}
	return b.Queue.Answer(ctx, id, a)
}

func (b *broken) Consume(ctx context.Context, group string, h belfry.Handler, o belfry.ConsumeOptions) error {
	if b.handler != nil {
		h = b.handler(h)
	}
	if b.options != nil {
		b.options(&o)
	}
	if !b.hasty {
		return b.Queue.Consume(ctx, group, h, o)
	}
	b.left.Go(func() {
		longer, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = b.Queue.Consume(longer, group, h, o)
	})
	<-ctx.Done()
	return nil
}

// TestChecksFindFaults: for each check there is a queue that does not pass it.
func TestChecksFindFaults(t *testing.T) {
	var calls atomic.Int64
	faults := map[string]*broken{
		"events arrive whole": {append: func(ctx context.Context, q Queue, e *belfry.Event) error {
			less := *e
			less.User = ""
			return q.Append(ctx, &less)
		}},
		"each event once for each group": {append: func(ctx context.Context, q Queue, e *belfry.Event) error {
			if e.ID == "77" {
				return nil // lost
			}
			return q.Append(ctx, e)
		}},
		"duplicates": {append: func(ctx context.Context, q Queue, e *belfry.Event) error {
			more := *e
			more.ID += fmt.Sprint("-", calls.Add(1))
			return q.Append(ctx, &more)
		}},
		"IDs are needed": {append: func(ctx context.Context, q Queue, e *belfry.Event) error {
			if e.ID == "" {
				return nil
			}
			return q.Append(ctx, e)
		}},
		"order of a key": {options: func(o *belfry.ConsumeOptions) { o.Unordered = true }},
		"failures": {handler: func(h belfry.Handler) belfry.Handler {
			return func(ctx context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
				d.Tries = 1
				return h(ctx, d)
			}
		}},
		"dead letters": {options: func(o *belfry.ConsumeOptions) { o.MaxTries = 5 }},
		"retry later": {handler: func(h belfry.Handler) belfry.Handler {
			return func(ctx context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
				if _, err := h(ctx, d); err != nil {
					return nil, fmt.Errorf("%v", err) // not what it was
				}
				return nil, nil
			}
		}},
		"stop": {hasty: true},
		"panic": {handler: func(h belfry.Handler) belfry.Handler {
			return func(ctx context.Context, d *belfry.Delivery) (a *belfry.Answer, err error) {
				defer func() { _ = recover() }() // handled
				return h(ctx, d)
			}
		}},
		"answers": {answer: func(ctx context.Context, q Queue, id string, a *belfry.Answer) error {
			_ = q.Answer(ctx, id, a)
			return nil
		}},
		"answers of handlers": {handler: func(h belfry.Handler) belfry.Handler {
			return func(ctx context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
				_, err := h(ctx, d)
				return nil, err
			}
		}},
		"end of contexts": {append: func(_ context.Context, q Queue, e *belfry.Event) error {
			return q.Append(context.Background(), e)
		}},
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := faults[c.name]
			if b == nil {
				t.Fatal("there is no queue that is broken in this way")
			}
			q, err := memory.New(memory.Options{Groups: []string{"g"}, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			b.Queue = q
			defer b.left.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if err := c.run(ctx, b); err == nil {
				t.Error("the check does not find it")
			} else {
				t.Log(err)
			}
		})
	}
}
