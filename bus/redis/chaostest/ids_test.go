//go:build unix

package chaostest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// repeatedFaults are those after which a publisher often does not know.
var repeatedFaults = []string{"link cut often", "nothing comes from redis", "all connections killed", "redis killed, with AOF"}

// TestRepeatedWithID: what is published again and again with one id, by either node,
// after every error, is delivered once.
func TestRepeatedWithID(t *testing.T) {
	for _, name := range repeatedFaults {
		for mode, interest := range map[string]bool{"everything": false, "interest": true} {
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				doubled, missing, retries := repeatUnder(t, name, interest, true)
				t.Logf("%d were repeated", retries)
				if len(doubled) > 0 || len(missing) > 0 {
					t.Errorf("doubled %v, missing %v", doubled, missing)
				}
			})
		}
	}
}

// TestRepeatedWithoutID is the control: without ids some come twice.
func TestRepeatedWithoutID(t *testing.T) {
	for range 5 {
		if doubled, _, _ := repeatUnder(t, "nothing comes from redis", false, false); len(doubled) > 0 {
			return
		}
	}
	t.Error("messages without an id are repeated, but none comes twice")
}

// repeatUnder publishes during a fault, with little patience, and repeats what fails
// until it works. It returns what a node got more than once, and what one did not get.
func repeatUnder(t *testing.T, fault string, interest, ids bool) (doubled, missing []string, retries int) {
	t.Helper()
	b := newBench(t, interest, "--appendonly", "yes", "--appendfsync", "always")
	var stop atomic.Bool
	var repeated atomic.Int64
	var publishers sync.WaitGroup
	published := make([][]string, 6)
	for k := range published {
		publishers.Go(func() {
			for n := 0; !stop.Load(); n++ {
				id := fmt.Sprintf("%d.%d", k, n)
				repeated.Add(int64(b.untilAccepted(t.Context(), id, k, n, ids)))
				published[k] = append(published[k], id)
			}
		})
	}
	wait(200 * time.Millisecond)
	faults()[fault](b)
	wait(200 * time.Millisecond)
	stop.Store(true)
	publishers.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for i := range b.pair.Nodes {
		last := redistest.Message(fmt.Sprint("last of ", i))
		b.must(b.pair.Links[i].Publish(ctx, last))
		for _, other := range b.pair.Nodes {
			b.must(other.Await(ctx, string(last.Data)))
		}
	}
	for _, n := range b.pair.Nodes {
		counts := map[string]int{}
		for _, id := range n.Got() {
			counts[id]++
		}
		for _, ids := range published {
			for _, id := range ids {
				switch c := counts[string(redistest.Message(id).Data)]; {
				case c > 1:
					doubled = append(doubled, id)
				case c == 0:
					missing = append(missing, id)
				}
			}
		}
	}
	return doubled, missing, int(repeated.Load())
}

// untilAccepted publishes on one node and the other until it works.
func (b *bench) untilAccepted(ctx context.Context, id string, k, n int, ids bool) (retries int) {
	for ; ctx.Err() == nil; retries++ {
		m := redistest.Message(id, redistest.Room(n))
		if ids {
			m.ID = id
		}
		short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		err := b.pair.Links[(k+retries)%2].Publish(short, m)
		cancel()
		if err == nil || errors.Is(err, belfry.ErrDuplicate) {
			return retries
		}
		wait(5 * time.Millisecond)
	}
	return retries
}
