//go:build unix

package redis

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// diary is a node that notes in order what comes and when it is told of a loss.
type diary struct{ *redistest.Ledger }

func (d diary) Lost(reason error) {
	d.Deliver(redistest.Message("lost"))
	d.Ledger.Lost(reason)
}

// lossy is two nodes on a Redis that forgets. Both have m1 to m5, node a alone m6 to
// m15, which Redis has accepted and then has not.
type lossy struct {
	*testing.T
	server *redistest.Server
	bus    *Bus
	nodes  [2]diary
	links  [2]belfry.Link
	before []string
}

func newLossy(t *testing.T, interest bool) *lossy {
	t.Helper()
	l := &lossy{T: t, server: redistest.Start(t)}
	o := Options{URL: l.server.URL(), Interest: interest, Timeout: time.Second, ProbeTimeout: time.Minute, Spool: Spool{Time: time.Minute}}
	l.bus = open(t, o)
	for i := range l.links {
		l.nodes[i] = diary{redistest.NewLedger(belfry.NodeID([]string{"a", "b"}[i]))}
		l.links[i] = l.attach(l.nodes[i], open(t, o))
	}
	for i := range 5 {
		l.before = append(l.before, fmt.Sprint("m", i+1))
		redistest.Publish(t, l.links[0], redistest.Message(l.before[i]))
	}
	check(t, l.nodes[1].Await(t.Context(), "m5"))
	return l
}

func (l *lossy) attach(n belfry.Node, b *Bus) belfry.Link {
	l.Helper()
	link, err := b.Attach(l.Context(), n)
	check(l, err)
	l.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		check(l, link.Close(ctx))
	})
	return link
}

// deafen lets a node hear nothing more on its connection.
func (l *lossy) deafen(i int) {
	l.Helper()
	link := linkOf(l.links[i])
	if !link.bus.opts.Interest {
		check(l, link.dropRooms(l.Context()))
	}
	for _, channel := range []string{everyone, nodeChannel(link.id)} {
		check(l, link.drop(l.Context(), channel))
	}
}

// halt keeps a node from going on until the function that it returns is called.
func (l *lossy) halt(i int) (goOn func()) {
	l.Helper()
	stands, released := make(chan struct{}), make(chan struct{})
	linkOf(l.links[i]).feed.do(l.Context(), func(*feed) { close(stands); <-released })
	<-stands
	return func() { close(released) }
}

// lose publishes what only the first node has, and lets Redis forget it.
func (l *lossy) lose(rooms ...belfry.Room) {
	l.Helper()
	l.server.Must("SAVE")
	l.deafen(1)
	for i := 6; i <= 15; i++ {
		redistest.Publish(l, l.links[0], redistest.Message(fmt.Sprint("m", i), rooms...))
	}
	l.server.Kill()
}

func (l *lossy) awaitLoss(i int) {
	l.Helper()
	ctx, cancel := context.WithTimeout(l.Context(), 40*time.Second)
	defer cancel()
	check(l, l.nodes[i].AwaitLoss(ctx))
}

// expect waits until the second node has what it must have since the loss.
func (l *lossy) expect(ids ...string) {
	l.Helper()
	l.nodes[1].Expect(l, append(slices.Clone(l.before), ids...)...)
}

func (l *lossy) replay(link belfry.Link, after belfry.Offset) error {
	return link.(belfry.Log).Replay(l.Context(), "/", after, func(*belfry.Message) error { return nil })
}

// modes runs a test with nodes that get everything, and with such that follow rooms.
func modes(t *testing.T, test func(*testing.T, bool)) {
	for name, interest := range map[string]bool{"everything": false, "interest": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, interest)
		})
	}
}

// TestLossOfOthers: Redis loses what one node had. The other, for which the log goes
// on where it stands, is told as well, before anything that comes later.
func TestLossOfOthers(t *testing.T) {
	modes(t, func(t *testing.T, interest bool) {
		l := newLossy(t, interest)
		l.lose()
		goOn := l.halt(1)
		l.server.Run()
		l.awaitLoss(0)
		for _, id := range []string{"later", "last"} {
			redistest.Publish(t, l.links[0], redistest.Message(id))
		}
		goOn()
		l.expect("lost", "later", "last")
	})
}

// TestLossToldLate: the node that knows of the loss comes over when the other has gone
// on without it. From there on the log has a hole for clients, too.
func TestLossToldLate(t *testing.T) {
	modes(t, func(t *testing.T, interest bool) {
		l := newLossy(t, interest)
		l.lose()
		goOn := l.halt(0)
		l.server.Run()
		link := l.attach(redistest.NewLedger("c"), l.bus)
		begin, err := link.(belfry.Log).Position(t.Context())
		check(t, err)
		between := redistest.Message("between")
		redistest.Publish(t, link, between)
		check(t, l.nodes[1].Await(t.Context(), "between"))
		check(t, l.replay(link, begin))
		goOn()
		l.awaitLoss(1)
		after := redistest.Message("after")
		redistest.Publish(t, link, after)
		l.expect("between", "lost", "after")
		for i, link := range []belfry.Link{link, l.links[0], l.links[1]} {
			for _, o := range []belfry.Offset{begin, between.Offset} {
				if err := l.replay(link, o); !errors.Is(err, belfry.ErrNoOffset) {
					t.Errorf("node %d replays across the hole: %v, want ErrNoOffset", i, err)
				}
			}
			check(t, l.replay(link, after.Offset))
		}
	})
}

// TestLossOfPublished: nobody had what Redis has lost but the publisher, who does not
// follow the room: it knows that Redis had accepted it.
func TestLossOfPublished(t *testing.T) {
	l := newLossy(t, true)
	check(t, l.links[1].(belfry.Follower).Follow(t.Context(), "/", "x"))
	check(t, linkOf(l.links[1]).drop(t.Context(), roomChannel("/", "x")))
	l.deafen(0) // so that no probe tells it how far the log is
	l.lose("x")
	l.server.Run()
	l.awaitLoss(0)
	l.awaitLoss(1)
}

// TestNothingLost is the control: Redis comes back with all that it had accepted, and
// nobody is told of a loss.
func TestNothingLost(t *testing.T) {
	modes(t, func(t *testing.T, interest bool) {
		l := newLossy(t, interest)
		l.deafen(1)
		redistest.Publish(t, l.links[0], redistest.Message("m6"))
		l.server.Must("SAVE")
		l.server.Kill()
		l.server.Run()
		redistest.Publish(t, l.links[0], redistest.Message("m7"))
		l.expect("m6", "m7")
		if err := errors.Join(l.nodes[0].Losses(), l.nodes[1].Losses()); err != nil {
			t.Errorf("told of a loss: %v", err)
		}
	})
}

// TestLossLearntLate: a node learns only after it has come over that Redis had accepted
// a message of its own, which the log does not have.
func TestLossLearntLate(t *testing.T) {
	l := newLossy(t, false)
	old := linkOf(l.links[0]).incarnation.Load()
	l.server.Must("SAVE")
	l.server.Kill()
	l.server.Run()
	for _, link := range l.links {
		for i := range 2 { // has come over, and is in step
			redistest.Publish(t, link, redistest.Message(fmt.Sprint(linkOf(link).id, i)))
		}
	}
	m := redistest.Message("lost in the air")
	m.Unlogged = true // so that nobody waits for it
	c := newCommit(newPublication(m, place{}), nil)
	c.seq = 1000
	linkOf(l.links[0]).commits.note(old, []*commit{c})
	l.awaitLoss(0)
	l.awaitLoss(1)
}

func TestHolesOfCrossings(t *testing.T) {
	c := crossing{from: 10, to: 30, number: 100}
	for h, want := range map[hole]bool{
		{9, 200}:  false, // before this node was there, or told at an earlier crossing
		{10, 100}: false, // it has that
		{10, 101}: true,
		{20, 1}:   true, // passed over
		{30, 200}: false,
	} {
		if got := c.misses(h); got != want {
			t.Errorf("%+v misses %+v: %v, want %v", c, h, got, want)
		}
	}
}

// TestCrossingsAreBounded: the last are remembered.
func TestCrossingsAreBounded(t *testing.T) {
	var f feed
	for i := range uint64(3 * maxCrossings) {
		f.remember(crossing{from: i, to: i + 1})
	}
	if n := len(f.crossings); n != maxCrossings || f.crossings[n-1].from != 3*maxCrossings-1 {
		t.Errorf("%d are remembered, the last %+v", n, f.crossings[n-1])
	}
}

func FuzzHole(f *testing.F) {
	f.Add(encodeHole(hole{1_763_837_000_123, 183}))
	f.Add([]byte{1, 8, 21, 2, 1, 1})
	f.Fuzz(func(t *testing.T, body []byte) {
		h, err := decodeHole(body)
		if err != nil {
			return
		}
		if again, err := decodeHole(encodeHole(h)); err != nil || !reflect.DeepEqual(h, again) {
			t.Fatalf("%+v becomes %+v, %v", h, again, err)
		}
	})
}
