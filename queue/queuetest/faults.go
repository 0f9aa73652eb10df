package queuetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

func checkFailures(ctx context.Context, q Queue) error {
	if err := q.Append(ctx, event("0")); err != nil {
		return err
	}
	l, tries := newLedger(), []int(nil)
	c := consume(ctx, q, 1, "g", func(_ context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
		tries = append(tries, d.Tries)
		if d.Tries < 4 {
			return nil, errors.New("not yet")
		}
		l.add(d.ID)
		return nil, nil
	}, quick())
	err := errors.Join(l.await(ctx, 1), c.end(), l.once(1))
	if err == nil && !slices.Equal(tries, []int{1, 2, 3, 4}) {
		err = fmt.Errorf("tries are %v, want 1 to 4", tries)
	}
	return err
}

func checkDead(ctx context.Context, q Queue) error {
	if err := appendAll(ctx, q, 3, func(int) string { return "k" }); err != nil {
		return err
	}
	l, tried := newLedger(), newLedger()
	o := quick()
	o.MaxTries = 3
	c := consume(ctx, q, 1, "g", func(_ context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
		tried.add(d.ID)
		switch d.ID {
		case "0":
			return nil, errors.New("never")
		case "1":
			return nil, fmt.Errorf("wrapped: %w", &belfry.PoisonError{Reason: errors.New("poison")})
		}
		l.add(d.ID)
		return nil, nil
	}, o)
	err := l.await(ctx, 1)
	wait(ctx)
	err = errors.Join(err, c.end())
	for id, want := range map[string]int{"0": 3, "1": 1, "2": 1} {
		if got := tried.count(id); err == nil && got != want {
			err = fmt.Errorf("event %s was tried %d times, want %d", id, got, want)
		}
	}
	return err
}

func checkLater(ctx context.Context, q Queue) error {
	if err := q.Append(ctx, event("0")); err != nil {
		return err
	}
	const after = 150 * time.Millisecond
	l := newLedger()
	var failed, again time.Time
	c := consume(ctx, q, 1, "g", func(_ context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
		if d.Tries == 1 {
			failed = time.Now()
			return nil, fmt.Errorf("wrapped: %w", &belfry.RetryError{Reason: errors.New("busy"), After: after})
		}
		again = time.Now()
		l.add(d.ID)
		return nil, nil
	}, quick())
	err := errors.Join(l.await(ctx, 1), c.end())
	if err == nil && again.Sub(failed) < after {
		err = fmt.Errorf("tried again after %v, want %v at least", again.Sub(failed), after)
	}
	return err
}

func checkStop(ctx context.Context, q Queue) error {
	const n = 20
	if err := appendAll(ctx, q, n, nil); err != nil {
		return err
	}
	l := newLedger()
	began, release := make(chan string, n), make(chan struct{})
	o := quick()
	o.Concurrency, o.Prefetch = 2, n
	c := consume(ctx, q, 1, "g", func(_ context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
		began <- d.ID
		<-release
		l.add(d.ID)
		return nil, nil
	}, o)
	<-began
	<-began
	c.stop()
	var ended sync.WaitGroup
	var err error
	ended.Go(func() { err = c.end() })
	wait(ctx)
	close(release)
	ended.Wait()
	if len(began) > 0 {
		err = errors.Join(err, fmt.Errorf("%d handlers began after the end of ctx", len(began)))
	}
	if len(l.order) != 2 {
		err = errors.Join(err, fmt.Errorf("%d of the 2 handlers that ran came to an end", len(l.order)))
	}
	tries := make(chan int, n)
	others := consume(ctx, q, 1, "g", func(_ context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
		tries <- d.Tries
		l.add(d.ID)
		return nil, nil
	}, quick()) // with a ReclaimAfter of a minute, as long as the check may take
	err = errors.Join(err, l.await(ctx, n), others.end(), l.once(n))
	for range len(tries) {
		if got := <-tries; err == nil && got != 1 {
			err = fmt.Errorf("an event that was not begun has %d tries", got)
		}
	}
	return err
}

func checkPanic(ctx context.Context, q Queue) error {
	if err := q.Append(ctx, event("0")); err != nil {
		return err
	}
	l := newLedger()
	c := consume(ctx, q, 1, "g", func(_ context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
		if d.Tries == 1 {
			panic("on purpose")
		}
		l.add(d.ID)
		return nil, nil
	}, quick())
	return errors.Join(l.await(ctx, 1), c.end(), l.once(1))
}
