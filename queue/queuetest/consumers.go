package queuetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

// consumers are several Consumes that run.
type consumers struct {
	stop context.CancelFunc
	done sync.WaitGroup
	mu   sync.Mutex
	errs []error
}

// consume starts n consumers of a group.
func consume(ctx context.Context, q Queue, n int, group string, h belfry.Handler, o belfry.ConsumeOptions) *consumers {
	c := &consumers{}
	ctx, c.stop = context.WithCancel(ctx)
	for range n {
		c.done.Go(func() {
			if err := q.Consume(ctx, group, h, o); err != nil {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.errs = append(c.errs, fmt.Errorf("consume: %w", err))
			}
		})
	}
	return c
}

// end stops them and returns their errors.
func (c *consumers) end() error {
	c.stop()
	c.done.Wait()
	return errors.Join(c.errs...)
}

// ledger counts what was handled.
type ledger struct {
	mu      sync.Mutex
	handled map[string]int
	order   []string
	changed chan struct{}
}

func newLedger() *ledger {
	return &ledger{handled: make(map[string]int), changed: make(chan struct{})}
}

// add counts one more of an event.
func (l *ledger) add(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.handled[id]++
	l.order = append(l.order, id)
	close(l.changed)
	l.changed = make(chan struct{})
}

// await waits until n different events were handled.
func (l *ledger) await(ctx context.Context, n int) error {
	for {
		l.mu.Lock()
		got, changed := len(l.handled), l.changed
		l.mu.Unlock()
		if got >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%d events were handled, want %d: %w", got, n, ctx.Err())
		}
	}
}

// once wants each of n events once.
func (l *ledger) once(n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for i := range n {
		if got := l.handled[fmt.Sprint(i)]; got != 1 {
			errs = append(errs, fmt.Errorf("event %d was handled %d times", i, got))
		}
	}
	if len(l.handled) > n {
		errs = append(errs, fmt.Errorf("%d different events were handled, %d were appended", len(l.handled), n))
	}
	return errors.Join(errs...)
}

func (l *ledger) count(id string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.handled[id]
}

// calm is how long a check looks whether something comes that should not.
const calm = 100 * time.Millisecond

// wait waits for calm.
func wait(ctx context.Context) {
	t := time.NewTimer(calm)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
