package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio"
)

// watch collects what a node finds in meet:1 each time it changes: how many
// members, and how many entries of the state.
func watch(n *node) <-chan string {
	found := make(chan string, 1000)
	n.OnRoomChange(func(ctx context.Context, room belfry.Room) error {
		members, err := n.Presence(room).Count(ctx)
		if err != nil {
			return err
		}
		entries, err := n.State(room).All(ctx)
		if err != nil {
			return err
		}
		found <- fmt.Sprintf("%s: %d members, %d entries", room, members, len(entries))
		return nil
	})
	return found
}

func await(t *testing.T, found <-chan string, want string) {
	t.Helper()
	last := "nothing"
	for deadline := time.After(patience); ; {
		select {
		case last = <-found:
			if last == want {
				return
			}
		case <-deadline:
			t.Fatalf("found %q at last, want %q", last, want)
		}
	}
}

func TestOnRoomChange(t *testing.T) { onEachBus(t, testOnRoomChange) }

func testOnRoomChange(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, presenceOptions(nil))
	a, b := nodes[0], nodes[1]
	found := []<-chan string{watch(a), watch(b)}
	both := func(want string) {
		t.Helper()
		await(t, found[0], want)
		await(t, found[1], want)
	}
	ca, ida := connect(t, a)
	ca.pump()
	cb, idb := connect(t, b)
	sa, sb := socketOf(t, a, ida), socketOf(t, b, idb)
	must(t, sa.Join("meet:1"))
	await(t, found[0], "meet:1: 1 members, 0 entries")
	must(t, sb.Join("meet:1"))
	both("meet:1: 2 members, 0 entries")
	_, err := b.State("meet:1").CompareAndSet(bg, "k", 1, 0, socketio.OwnedBy(sb))
	must(t, err)
	both("meet:1: 2 members, 1 entries")
	_ = cb.ws.CloseNow()
	await(t, found[0], "meet:1: 1 members, 0 entries")
}

// TestOnRoomChangeRuns has many changes at once, of which some are told in one,
// and functions that fail: the last run is from after the last change.
func TestOnRoomChangeRuns(t *testing.T) {
	o := presenceOptions(nil)
	o.Logger = slog.New(slog.DiscardHandler)
	n := newNode(t, o)
	var running, runs atomic.Int32
	n.OnRoomChange(func(context.Context, belfry.Room) error {
		if running.Add(1) > 1 {
			t.Error("it runs twice at a time")
		}
		defer running.Add(-1)
		switch runs.Add(1) {
		case 1:
			return errors.New("fails")
		case 2:
			panic("on purpose")
		}
		return nil
	})
	found := watch(n)
	c, id := connect(t, n)
	c.pump()
	s := socketOf(t, n, id)
	must(t, s.Join("meet:1"))
	for i := range 50 {
		_, err := n.State("meet:1").CompareAndSet(bg, fmt.Sprint(i), i, 0)
		must(t, err)
	}
	await(t, found, "meet:1: 1 members, 50 entries")
	before := runs.Load()
	for runs.Load() < 3 || runs.Load() == before {
		n.RoomChanged("meet:1")
		await(t, found, "meet:1: 1 members, 50 entries")
	}
}

// TestOnRoomChangeAgain has a function that fails once, with no other change.
func TestOnRoomChangeAgain(t *testing.T) {
	n := newNode(t, presenceOptions(nil))
	runs := make(chan belfry.Room, 10)
	var failed atomic.Bool
	n.OnRoomChange(func(_ context.Context, room belfry.Room) error {
		runs <- room
		if failed.CompareAndSwap(false, true) {
			return errors.New("fails")
		}
		return nil
	})
	n.RoomChanged("x")
	for i := range 2 {
		select {
		case room := <-runs:
			if room != "x" {
				t.Errorf("run %d is for %q", i, room)
			}
		case <-time.After(patience):
			t.Fatalf("run %d does not come", i)
		}
	}
}
