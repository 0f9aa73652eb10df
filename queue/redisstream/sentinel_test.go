//go:build unix

package redisstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/redisconn"
)

// TestFailover: a replica that has everything takes over. Each event that was accepted
// is handled, those of a key in order, and consumers go on by themselves.
func TestFailover(t *testing.T) {
	t.Parallel()
	master, replica := redistest.Start(t, "--repl-diskless-sync-delay", "0"), redistest.Start(t)
	replica.ReplicaOf(master.Addr())
	sentinel := redistest.StartSentinel(t, "seed", master)
	q := open(t, Options{
		Redis:  redisconn.Options{URL: fmt.Sprintf("redis://%s?master_set=seed", sentinel.Addr())},
		Groups: []string{"g"}, Wait: time.Minute,
	})
	const n, before, keys = 400, 200, 5

	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	l := &ledger{handled: make(map[string]int)}
	for range 2 {
		running.Go(func() {
			if err := q.Consume(ctx, "g", l.handle, belfry.ConsumeOptions{ReclaimAfter: time.Second}); err != nil {
				t.Error(err)
			}
		})
	}
	for i := range n {
		if i == before {
			master.Must("CLIENT", "PAUSE", "60000", "WRITE")
			replica.AwaitCaughtUp(master)
			master.Kill()
		}
		e := event(fmt.Sprint(i))
		e.Key = fmt.Sprint(i % keys)
		if err := q.Append(ctx, e); err != nil && !errors.Is(err, belfry.ErrDuplicate) {
			t.Fatalf("event %d: %v", i, err)
		}
	}
	until(t, "all are handled", func() bool { return l.count() == n })
	stop()
	running.Wait()
	if !l.inOrder(keys) {
		t.Errorf("keys were not in order: %v", l.first)
	}
}

// ledger notes what is handled.
type ledger struct {
	mu      sync.Mutex
	handled map[string]int
	first   []string // in the order of the first times
}

func (l *ledger) handle(_ context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.handled[d.ID]++; l.handled[d.ID] == 1 {
		l.first = append(l.first, d.ID)
	}
	return nil, nil
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.handled)
}

func (l *ledger) inOrder(keys int) bool {
	last := make(map[int]int)
	for _, id := range l.first {
		var i int
		if _, err := fmt.Sscan(id, &i); err != nil || last[i%keys] > i {
			return false
		}
		last[i%keys] = i
	}
	return true
}
