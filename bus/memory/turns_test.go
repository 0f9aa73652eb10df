package memory

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-09a96375/belfry"
)

func message(rooms ...belfry.Room) *belfry.Message {
	return &belfry.Message{Namespace: "/", Target: belfry.Target{Rooms: rooms}, Data: []byte(`["x"]`)}
}

func TestTurnsOfAMessage(t *testing.T) {
	all := newTurns()
	if all.of(message("a", "b"))&all.of(message("b", "c")) == 0 {
		t.Error("messages with a room in common have no turn in common")
	}
	if all.of(message()) != all.room("/", "") {
		t.Error("a message to the namespace does not take its turn")
	}
	except := message("a")
	except.Target.Except = []belfry.Room{"b", "c"}
	if all.of(except) != all.of(message("a")) {
		t.Error("an excepted room takes part in the order")
	}
	join := message("a")
	join.Kind, join.Rooms = belfry.Join, []belfry.Room{"b"}
	if all.of(join)&all.of(message("b")) == 0 {
		t.Error("a message to a room may pass the join to it")
	}
	spread := set(0)
	for i := range 1000 {
		spread |= all.of(message(belfry.Room(fmt.Sprint("room", i))))
	}
	if spread != ^set(0) {
		t.Errorf("1,000 rooms use the turns %064b", spread)
	}
}

// TestTurnsExclude takes random sets from several goroutines: those in common
// exclude each other, and nobody waits for ever.
func TestTurnsExclude(t *testing.T) {
	all := newTurns()
	var inside [64]int // guarded by the turns
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 2000 {
				mine := set(1)<<(i*7%64) | set(1)<<(g*i%64) | set(1)<<(i%5)
				if err := all.take(t.Context(), mine); err != nil {
					t.Error(err)
					return
				}
				for k := range inside {
					if mine&(1<<k) != 0 {
						inside[k]++ // the race detector would tell
					}
				}
				all.give(mine)
			}
		})
	}
	wg.Wait()
}

func TestTakeEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newTurns()
		held := set(1) << 40
		if err := all.take(t.Context(), held); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := all.take(ctx, set(1)<<3|held|set(1)<<50); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("take: %v", err)
		}
		if waited := time.Since(start); waited != time.Second {
			t.Errorf("waited %v", waited)
		}
		all.give(held)
		if err := all.take(t.Context(), ^set(0)); err != nil { // nothing is left taken
			t.Error(err)
		}
	})
}
