//go:build unix

package chaostest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// watched is two nodes on a master with a replica and a Sentinel.
type watched struct {
	*testing.T
	*redistest.Pair
	master, replica *redistest.Server
}

func newWatched(t *testing.T, interest bool) *watched {
	t.Helper()
	w := &watched{T: t, master: redistest.Start(t, "--repl-diskless-sync-delay", "0"), replica: redistest.Start(t)}
	w.replica.ReplicaOf(w.master.Addr())
	sentinel := redistest.StartSentinel(t, "seed", w.master)
	o := hasty(fmt.Sprintf("redis://%s?master_set=seed", sentinel.Addr()), interest)
	o.Spool.Time = time.Minute
	w.Pair = redistest.AttachPair(t, [2]belfry.Bus{open(t, o), open(t, o)})
	return w
}

// TestFailover: the replica that takes over has everything. Nothing is lost, and
// offsets from before are refused nevertheless: nobody can know.
func TestFailover(t *testing.T) {
	for mode, interest := range map[string]bool{"everything": false, "interest": true} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := newWatched(t, interest)
			before := publishLogged(t, w.Links[0])
			w.Under(t.Context(), func() {
				w.master.Must("CLIENT", "PAUSE", "60000", "WRITE")
				w.replica.AwaitCaughtUp(w.master)
				w.master.Kill()
				w.awaitAnotherEpoch(before)
			})
			w.MustBeComplete(t)
			mustRefuse(t, w.Pair, before)
		})
	}
}

// awaitAnotherEpoch waits until both nodes stand behind the offset in another
// epoch.
func (w *watched) awaitAnotherEpoch(old belfry.Offset) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	for _, link := range w.Links {
		for !w.isPast(ctx, link.(belfry.Log), old) {
			if ctx.Err() != nil {
				w.Fatal("no failover")
			}
			wait(20 * time.Millisecond)
		}
	}
}

func (w *watched) isPast(ctx context.Context, log belfry.Log, old belfry.Offset) bool {
	at, err := log.Position(ctx)
	return err == nil && epochOf(at) != epochOf(old) && log.Before(old, at)
}

func epochOf(o belfry.Offset) string {
	name, _, _ := strings.Cut(string(o), "-")
	return name
}

// mustRefuse: offsets of an earlier epoch are none.
func mustRefuse(t *testing.T, p *redistest.Pair, o belfry.Offset) {
	t.Helper()
	for i, link := range p.Links {
		err := link.(belfry.Log).Replay(t.Context(), "/", o, func(*belfry.Message) error { return errors.New("called") })
		if !errors.Is(err, belfry.ErrNoOffset) {
			t.Errorf("node %d replays after an offset of an earlier epoch: %v, want ErrNoOffset", i, err)
		}
	}
}

// TestFailoverThatLoses: the replica lacks the last writes. All nodes are told and
// go on, and offsets from before are refused, also once the new master has given
// the same numbers to other messages.
func TestFailoverThatLoses(t *testing.T) {
	for mode, interest := range map[string]bool{"everything": false, "interest": true} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := newWatched(t, interest)
			publishLogged(t, w.Links[0])
			w.replica.AwaitCaughtUp(w.master)
			w.replica.Signal(syscall.SIGSTOP)
			w.master.Must("CLIENT", "KILL", "TYPE", "replica")
			var lost belfry.Offset
			for range 10 {
				lost = publishLogged(t, w.Links[0])
			}
			w.master.Kill()
			w.replica.Signal(syscall.SIGCONT)
			w.awaitAnotherEpoch(lost)
			for range 20 {
				publishLogged(t, w.Links[1])
			}
			ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
			defer cancel()
			for i, n := range w.Nodes {
				if err := n.AwaitLoss(ctx); err != nil {
					t.Errorf("node %d was not told of the loss: %v", i, err)
				}
			}
			mustRefuse(t, w.Pair, lost)
			if err := w.Verdict(ctx); err != nil {
				t.Errorf("after the failover: %v", err)
			}
		})
	}
}

// TestFailoverThatLosesUnderFire does that while both nodes publish. What is missing is told, and nothing comes twice.
func TestFailoverThatLosesUnderFire(t *testing.T) {
	for mode, interest := range map[string]bool{"everything": false, "interest": true} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := newWatched(t, interest)
			before := publishLogged(t, w.Links[0])
			w.replica.AwaitCaughtUp(w.master)
			w.Under(t.Context(), func() {
				w.replica.Signal(syscall.SIGSTOP)
				w.master.Must("CLIENT", "KILL", "TYPE", "replica")
				wait(300 * time.Millisecond)
				w.master.Kill()
				w.replica.Signal(syscall.SIGCONT)
				w.awaitAnotherEpoch(before)
			})
			for i, link := range w.Links {
				last := fmt.Sprint("last of ", i)
				redistest.Publish(t, link, redistest.Message(last))
				for _, n := range w.Nodes {
					check(t, n.Await(t.Context(), last))
				}
			}
			w.MustBeAccountedFor(t)
			for i, n := range w.Nodes {
				if n.Losses() == nil {
					t.Errorf("node %d was not told of the loss", i)
				}
			}
		})
	}
}
