package consume_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/queue/consume"
	"github.com/seed-09a96375/belfry/queue/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// queueOf returns a queue with n events.
func queueOf(t *testing.T, n int, key string) *memory.Queue {
	t.Helper()
	q, err := memory.New(memory.Options{Groups: []string{"g"}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := q.Append(t.Context(), &belfry.Event{ID: fmt.Sprint(i), Name: "e", Key: key}); err != nil {
			t.Fatal(err)
		}
	}
	return q
}

// consuming runs a consumer until it is stopped.
func consuming(t *testing.T, q *memory.Queue, h belfry.Handler, o belfry.ConsumeOptions) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() {
		if err := q.Consume(ctx, "g", h, o); err != nil {
			t.Error(err)
		}
	})
	return func() { cancel(); done.Wait() }
}

// TestLongHandlerKeepsItsEvent: other consumers do not get what is worked on, however
// long it takes.
func TestLongHandlerKeepsItsEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, runs := queueOf(t, 1, ""), 0
		var mu sync.Mutex
		h := func(ctx context.Context, _ *belfry.Delivery) (*belfry.Answer, error) {
			mu.Lock()
			runs++
			mu.Unlock()
			time.Sleep(time.Hour)
			return nil, ctx.Err()
		}
		stopA := consuming(t, q, h, belfry.ConsumeOptions{})
		stopB := consuming(t, q, h, belfry.ConsumeOptions{})
		time.Sleep(61 * time.Minute)
		stopA()
		stopB()
		if runs != 1 {
			t.Errorf("%d handlers have run, want 1", runs)
		}
	})
}

// TestLostEventEndsItsHandler: who is taken for dead is told.
func TestLostEventEndsItsHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queueOf(t, 1, "")
		var cause error
		stopA := consuming(t, q, func(ctx context.Context, _ *belfry.Delivery) (*belfry.Answer, error) {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return nil, ctx.Err()
		}, belfry.ConsumeOptions{ReclaimAfter: time.Hour}) // it says little
		synctest.Wait()
		tries := 0
		stopB := consuming(t, q, func(_ context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
			tries = d.Tries
			return nil, nil
		}, belfry.ConsumeOptions{ReclaimAfter: time.Second})
		time.Sleep(time.Hour)
		stopA()
		stopB()
		if !errors.Is(cause, consume.ErrLost) || tries != 2 {
			t.Errorf("the context ended with %v, the other has Tries %d; want ErrLost and 2", cause, tries)
		}
	})
}

func TestBackoffDoubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queueOf(t, 1, "")
		var at []time.Time
		stop := consuming(t, q, func(context.Context, *belfry.Delivery) (*belfry.Answer, error) {
			at = append(at, time.Now())
			return nil, errors.New("never")
		}, belfry.ConsumeOptions{Backoff: time.Second, MaxBackoff: 4 * time.Second, MaxTries: 6})
		time.Sleep(time.Minute)
		stop()
		if len(at) != 6 {
			t.Fatalf("%d tries, want 6", len(at))
		}
		for i, most := range []time.Duration{1, 2, 4, 4, 4} {
			if d := at[i+1].Sub(at[i]); d < most*time.Second/2 || d > most*time.Second {
				t.Errorf("pause %d is %v, want between half of %v and that", i, d, most*time.Second)
			}
		}
		if dead := q.Dead(); len(dead) != 1 || dead[0].Tries != 6 || dead[0].Reason != "never" {
			t.Errorf("dead letters are %+v", dead)
		}
	})
}

// TestStopTimeout: a handler that does not end is told so, and its event is there
// for others.
func TestStopTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queueOf(t, 1, "")
		began, cause := make(chan bool, 1), error(nil)
		stop := consuming(t, q, func(ctx context.Context, _ *belfry.Delivery) (*belfry.Answer, error) {
			began <- true
			<-ctx.Done()
			cause = context.Cause(ctx)
			return nil, nil // too late, but done
		}, belfry.ConsumeOptions{StopTimeout: 7 * time.Second})
		<-began
		from := time.Now()
		stop()
		if took := time.Since(from); took < 7*time.Second || took > 8*time.Second || !errors.Is(cause, consume.ErrStopped) {
			t.Errorf("stopped after %v with %v, want ErrStopped after 7s, and what a read takes", took, cause)
		}
	})
}

func TestTimeoutOfOneTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queueOf(t, 1, "")
		var causes []error
		stop := consuming(t, q, func(ctx context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
			if d.Tries == 2 {
				return nil, nil
			}
			<-ctx.Done()
			causes = append(causes, context.Cause(ctx))
			return nil, ctx.Err()
		}, belfry.ConsumeOptions{Timeout: time.Second})
		time.Sleep(time.Minute)
		stop()
		if len(causes) != 1 || !errors.Is(causes[0], consume.ErrTimeout) || len(q.Dead()) != 0 {
			t.Errorf("ended with %v, dead letters %v; want one ErrTimeout and none", causes, q.Dead())
		}
	})
}

// TestOneHandlerKeepsTheOrderOfTheQueue: without keys, too.
func TestOneHandlerKeepsTheOrderOfTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queueOf(t, 100, "")
		var got []string
		stop := consuming(t, q, func(_ context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
			got = append(got, d.Entry)
			return nil, nil
		}, belfry.ConsumeOptions{Concurrency: 1})
		time.Sleep(time.Second)
		stop()
		if len(got) != 100 || !slices.IsSorted(got) {
			t.Errorf("%d events came in the order %v", len(got), got)
		}
	})
}

// TestOldEventsDie: MaxAge bounds the tries.
func TestOldEventsDie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queueOf(t, 1, "")
		stop := consuming(t, q, func(context.Context, *belfry.Delivery) (*belfry.Answer, error) {
			return nil, &belfry.RetryError{Reason: errors.New("busy"), After: time.Minute}
		}, belfry.ConsumeOptions{MaxAge: 150 * time.Second, MaxTries: -1})
		time.Sleep(10 * time.Minute)
		stop()
		if dead := q.Dead(); len(dead) != 1 || dead[0].Tries != 4 || !strings.Contains(dead[0].Reason, "older than 2m30s") {
			t.Errorf("dead letters are %+v, want one after the 4th try", dead)
		}
	})
}

// TestOldestAreTakenOverLast: who has taken over later events of dead consumers still
// takes over what these wait for.
func TestOldestAreTakenOverLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, keys = 200, 3
		q := queueOf(t, 0, "")
		appendKeys(t, q, 0, n, keys)
		// It gives a sign of life after 10 s, the next one never.
		stopA := consuming(t, q, blocked, belfry.ConsumeOptions{Prefetch: 16, ReclaimAfter: 30 * time.Second})
		synctest.Wait() // it has the first 16
		stopB := consuming(t, q, blocked, belfry.ConsumeOptions{Prefetch: n, ReclaimAfter: time.Hour})
		time.Sleep(11 * time.Second)

		var got []string
		stopC := consuming(t, q, noting(&got), belfry.ConsumeOptions{ReclaimAfter: 2 * time.Second}) // for it both are dead, the first from 12 s on
		time.Sleep(time.Hour)
		stopA()
		stopB()
		stopC()
		if len(got) != n || !inOrder(got, keys) {
			t.Errorf("%d events were handled, want %d in the order of their keys: %v", len(got), n, got)
		}
	})
}

// TestTriesOfOneName: an event that ends its process again and again becomes a dead
// letter, also if all these processes have one name.
func TestTriesOfOneName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queueOf(t, 1, "")
		var tries []int
		o := belfry.ConsumeOptions{Consumer: "me", MaxTries: 3, ReclaimAfter: time.Hour}
		for range 4 { // none of them ends before the next begins, as far as the queue knows
			stop := consuming(t, q, func(ctx context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
				tries = append(tries, d.Tries)
				return blocked(ctx, d)
			}, o)
			defer stop()
			synctest.Wait()
		}
		if dead := q.Dead(); !slices.Equal(tries, []int{1, 2, 3}) || len(dead) != 1 {
			t.Errorf("tries are %v, dead letters %+v; want 3 and one", tries, dead)
		}
	})
}

// TestTwinsOfOneKey: an event that is there twice is handled once, and nothing waits
// for ever if the later one came first.
func TestTwinsOfOneKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, err := memory.New(memory.Options{Window: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		stopA := consuming(t, q, blocked, belfry.ConsumeOptions{Prefetch: 1, Concurrency: 1, ReclaimAfter: time.Hour})
		for _, id := range []string{"twin", "twin", "last"} {
			if err := q.Append(t.Context(), &belfry.Event{ID: id, Name: "e", Key: "k"}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second) // the window of IDs is over, the first consumer is taken for dead
		}
		var got []string
		stopB := consuming(t, q, noting(&got), belfry.ConsumeOptions{Dedup: time.Hour, ReclaimAfter: time.Second})
		time.Sleep(time.Minute)
		stopB()
		stopA()
		if !slices.Equal(got, []string{"twin", "last"}) {
			t.Errorf("%v were handled, want the twin once, and the last", got)
		}
	})
}

// TestBusyKey: the events of one key, many and slow, do not keep others from being
// read.
func TestBusyKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const busy, others = 900, 20
		q := queueOf(t, busy, "busy")
		for i := range others {
			if err := q.Append(t.Context(), &belfry.Event{ID: fmt.Sprint("other", i), Name: "e", Key: fmt.Sprint(i % 3)}); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		note := noting(&got)
		stop := consuming(t, q, func(ctx context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
			if d.Key == "busy" {
				return blocked(ctx, d)
			}
			return note(ctx, d)
		}, belfry.ConsumeOptions{})
		time.Sleep(time.Minute)
		stop()
		if len(got) != others {
			t.Errorf("%d events of other keys were handled, want %d", len(got), others)
		}
	})
}

// blocked is a handler that does nothing until it must end.
func blocked(ctx context.Context, _ *belfry.Delivery) (*belfry.Answer, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// noting returns a handler that notes IDs, to be read when the consumer has stopped.
func noting(ids *[]string) belfry.Handler {
	var mu sync.Mutex
	return func(_ context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
		mu.Lock()
		defer mu.Unlock()
		*ids = append(*ids, d.ID)
		return nil, nil
	}
}

// appendKeys appends n events of several keys, in turn.
func appendKeys(t *testing.T, q *memory.Queue, from, n, keys int) {
	t.Helper()
	for i := from; i < from+n; i++ {
		if err := q.Append(t.Context(), &belfry.Event{ID: fmt.Sprint(i), Name: "e", Key: fmt.Sprint("k", i%keys)}); err != nil {
			t.Fatal(err)
		}
	}
}

// inOrder reports whether events that appendKeys has appended came in the order of
// their keys.
func inOrder(ids []string, keys int) bool {
	last := make(map[int]int)
	for _, id := range ids {
		i, err := strconv.Atoi(id)
		if before, ok := last[i%keys]; err != nil || ok && before >= i {
			return false
		}
		last[i%keys] = i
	}
	return true
}

func TestOptionsAreChecked(t *testing.T) {
	for want, o := range map[string]belfry.ConsumeOptions{
		"Concurrency is -1":           {Concurrency: -1},
		"Prefetch is 1":               {Prefetch: 1},
		"MaxTries is -2":              {MaxTries: -2},
		"Backoff is -1ns":             {Backoff: -1},
		"MaxBackoff is 1ns":           {MaxBackoff: 1},
		"ReclaimAfter is 1ms":         {ReclaimAfter: time.Millisecond},
		"StopTimeout must not be neg": {StopTimeout: -1},
	} {
		if _, err := consume.Complete(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
}
