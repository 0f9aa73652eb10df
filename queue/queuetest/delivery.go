package queuetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

func checkWhole(ctx context.Context, q Queue) error {
	want := belfry.Event{
		ID: "an id", Namespace: "/n", Name: "übung", Args: json.RawMessage(`["a", {"b":[1.50,null]},"\u2028"]`),
		Socket: "12345678901234567890", User: "ada", Key: "k", Node: "node-1",
		Room: "r", Offset: "a.1-2",
		Time: time.UnixMicro(1_763_837_000_123_456).UTC(), Reply: true,
	}
	if err := q.Append(ctx, &want); err != nil {
		return err
	}
	got := make(chan belfry.Delivery, 10)
	c := consume(ctx, q, 1, "g", func(_ context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
		got <- *d
		return nil, nil
	}, quick())
	select {
	case d := <-got:
		d.Time = d.Time.UTC()
		if !reflect.DeepEqual(d.Event, want) || d.Tries != 1 || d.Entry == "" {
			return errors.Join(fmt.Errorf("got %+v, want %+v", d, want), c.end())
		}
	case <-ctx.Done():
		return errors.Join(errors.New("nothing came"), c.end())
	}
	return c.end()
}

func checkOnce(ctx context.Context, q Queue) error {
	const n = 400
	first, second := newLedger(), newLedger()
	ready := make(chan bool, 1)
	into := func(l *ledger) belfry.Handler {
		return func(_ context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
			switch {
			case d.Name != probe:
				l.add(d.ID)
			case l == second:
				select {
				case ready <- true:
				default:
				}
			}
			return nil, nil
		}
	}
	a := consume(ctx, q, 3, "g", into(first), quick())
	b := consume(ctx, q, 2, "h", into(second), quick())
	err := awaitGroup(ctx, q, ready)
	for i := 0; i < n && err == nil; i++ {
		err = q.Append(ctx, event(fmt.Sprint(i)))
	}
	err = errors.Join(err, first.await(ctx, n), second.await(ctx, n))
	return errors.Join(err, a.end(), b.end(), first.once(n), second.once(n))
}

// probe names events that only ask whether a group is there.
const probe = "probe"

// awaitGroup appends until a consumer of a new group has got something: before that
// the group may not be there yet.
func awaitGroup(ctx context.Context, q Queue, ready <-chan bool) error {
	for i := 0; ; i++ {
		e := event(fmt.Sprint(probe, i))
		e.Name = probe
		if err := q.Append(ctx, e); err != nil {
			return err
		}
		select {
		case <-ready:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("a group gets nothing: %w", ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func checkDuplicates(ctx context.Context, q Queue) error {
	if err := appendAll(ctx, q, 3, nil); err != nil {
		return err
	}
	for i := range 3 {
		if err := q.Append(ctx, event(fmt.Sprint(i))); !errors.Is(err, belfry.ErrDuplicate) {
			return fmt.Errorf("event %d once more: %v, want ErrDuplicate", i, err)
		}
	}
	var mu sync.Mutex
	stored := 3
	var all sync.WaitGroup
	for range 8 { // at the same time
		all.Go(func() {
			if err := q.Append(ctx, event("3")); err == nil {
				mu.Lock()
				defer mu.Unlock()
				stored++
			}
		})
	}
	all.Wait()
	if stored != 4 {
		return fmt.Errorf("of 8 appends of one event %d were accepted", stored-3)
	}
	l := newLedger()
	c := consume(ctx, q, 1, "g", func(_ context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
		l.add(d.ID)
		return nil, nil
	}, quick())
	err := l.await(ctx, 4)
	wait(ctx)
	return errors.Join(err, c.end(), l.once(4))
}

func checkIDs(ctx context.Context, q Queue) error {
	for _, id := range []string{"", strings.Repeat("x", belfry.MaxID+1)} {
		if err := q.Append(ctx, event(id)); err == nil || errors.Is(err, belfry.ErrUnavailable) {
			return fmt.Errorf("an ID of %d bytes: %v", len(id), err)
		}
	}
	return q.Append(ctx, event(strings.Repeat("x", belfry.MaxID)))
}

// checkOrder has events of few keys, consumers that are many, and handlers that
// fail.
func checkOrder(ctx context.Context, q Queue) error {
	const n, keys = 200, 5
	if err := appendAll(ctx, q, n, func(i int) string { return fmt.Sprint("k", i%keys) }); err != nil {
		return err
	}
	l := newLedger()
	var running sync.Map
	fault := make(chan error, n)
	c := consume(ctx, q, 3, "g", func(_ context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
		if other, busy := running.LoadOrStore(d.Key, d.ID); busy {
			fault <- fmt.Errorf("event %s began while %v of the same key ran", d.ID, other)
		}
		defer running.Delete(d.Key)
		if d.Tries == 1 && rand.IntN(8) == 0 { //nolint:gosec // guards nothing
			return nil, errors.New("not yet")
		}
		l.add(d.ID)
		return nil, nil
	}, quick())
	err := errors.Join(l.await(ctx, n), c.end(), l.once(n))
	select {
	case f := <-fault:
		err = errors.Join(err, f)
	default:
	}
	return errors.Join(err, inOrder(l.order, keys))
}

func inOrder(order []string, keys int) error {
	last := make(map[int]int)
	for _, id := range order {
		var i int
		if _, err := fmt.Sscan(id, &i); err != nil {
			return err
		}
		if before, ok := last[i%keys]; ok && before > i {
			return fmt.Errorf("event %d was handled before %d, of the same key", before, i)
		}
		last[i%keys] = i
	}
	return nil
}
