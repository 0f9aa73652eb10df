package consume_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/queue/consume"
)

// raided is a store where another consumer takes over entries just after they were
// found by Mine.
type raided struct {
	mu       sync.Mutex
	own      []string        // what this consumer has, in order
	raid     map[string]bool // what the other one takes
	hidden   bool            // nobody finds them before a Read has failed
	failures int             // of Read
}

func (r *raided) Mine(_ context.Context, after string, n int) ([]*consume.Entry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []*consume.Entry
	for _, name := range r.own {
		if name > after && len(found) < n && !r.hidden {
			e := &consume.Entry{}
			e.Entry, e.ID = name, name
			found = append(found, e)
		}
	}
	r.own = slices.DeleteFunc(r.own, func(name string) bool { return !r.hidden && r.raid[name] })
	return found, nil
}

func (r *raided) Read(ctx context.Context, _ int, wait time.Duration) ([]*consume.Entry, error) {
	consume.Sleep(ctx, wait)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failures == 0 {
		return nil, nil
	}
	r.failures--
	r.hidden = false
	return nil, errors.New("the connection broke")
}

func (r *raided) Hold(_ context.Context, tries map[string]int) (lost []string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name := range tries {
		if !slices.Contains(r.own, name) {
			lost = append(lost, name)
		}
	}
	return lost, nil
}

func (r *raided) Settle(_ context.Context, e *consume.Entry, _ consume.Result) (first bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.own)
	r.own = slices.DeleteFunc(r.own, func(name string) bool { return name == e.Entry })
	return len(r.own) < n, nil
}

func (*raided) Reclaim(context.Context, int, time.Duration) ([]*consume.Entry, error) {
	return nil, nil
}
func (*raided) Waits(context.Context, string) (bool, error)           { return false, nil }
func (*raided) Handled(context.Context, *consume.Entry) (bool, error) { return false, nil }
func (*raided) Bury(context.Context, *consume.Entry, string) error    { return nil }
func (*raided) Release(context.Context, map[string]int) error         { return nil }

// TestTakenOverBeforeItBegins: what this consumer had without knowing of it, and
// another one has taken over, does not begin here as well. What comes after it does.
func TestTakenOverBeforeItBegins(t *testing.T) {
	for name, s := range map[string]*raided{
		"after a start":       {},
		"after a failed read": {hidden: true, failures: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s.own = []string{"1", "2", "3", "4"}
				s.raid = map[string]bool{"1": true, "2": true, "3": true}
				o, err := consume.Complete(belfry.ConsumeOptions{
					Concurrency: 2, // so many are found at a time
					Logger:      slog.New(slog.DiscardHandler),
				})
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if err := consume.Run(ctx, s, consume.Plain(noting(&got)), o); err != nil {
					t.Error(err)
				}
				if !slices.Equal(got, []string{"4"}) {
					t.Errorf("%v began, want 4 only: the other consumer has the rest", got)
				}
			})
		})
	}
}
