//go:build chaos

package redis

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// attach returns a node and its link, closed with the test.
func attach(t testing.TB, b *Bus, name belfry.NodeID) (*ledger, belfry.Link) {
	t.Helper()
	n := newLedger(name)
	link, err := b.Attach(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := link.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return n, link
}

func inRoom(data string, rooms ...belfry.Room) *belfry.Message {
	m := id(data)
	m.Target.Rooms = rooms
	return m
}

// publishTo fails the test if it cannot.
func publishTo(t testing.TB, l belfry.Link, messages ...*belfry.Message) {
	t.Helper()
	for _, m := range messages {
		if err := l.Publish(t.Context(), m); err != nil {
			t.Fatalf("publish %s: %v", m.Data, err)
		}
	}
}

// expect waits for the last of the ids and compares all.
func (n *ledger) expect(t testing.TB, ids ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := n.await(ctx, ids[len(ids)-1]); err != nil {
		t.Fatal(err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if fmt.Sprint(n.got) != fmt.Sprint(ids) {
		t.Errorf("node %s got %v, want %v", n.id, n.got, ids)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOnlyWhatIsFollowed(t *testing.T) {
	server := redistest.Start(t)
	o := Options{URL: server.URL(), Interest: true}
	a, la := attach(t, open(t, o), "a")
	b, lb := attach(t, open(t, o), "b")
	o.Interest = false
	c, _ := attach(t, open(t, o), "c")
	fa, fb := la.(belfry.Follower), lb.(belfry.Follower)
	check(t, fa.Follow(t.Context(), "/", "x"))
	check(t, fb.Follow(t.Context(), "/", "y"))
	first := inRoom("to y", "y")
	publishTo(t, la, inRoom("to x", "x"), first, inRoom("to both", "x", "y"), inRoom("to nobody", "z"), id("to all"))
	if first.Origin != "a" || first.Offset == "" {
		t.Errorf("a message that does not come back has origin %q and offset %q", first.Origin, first.Offset)
	}
	check(t, fb.Unfollow(t.Context(), "/", "y"))
	publishTo(t, la, inRoom("to y again", "y"), id("end"))
	a.expect(t, "to x", "to both", "to all", "end")
	b.expect(t, "to y", "to both", "to all", "end")
	c.expect(t, "to x", "to y", "to both", "to nobody", "to all", "to y again", "end")
}

// TestSockets: a socket is a room without a subscription. Who follows the room of
// that name gets its messages as well, once.
func TestSockets(t *testing.T) {
	server := redistest.Start(t)
	o := Options{URL: server.URL(), Interest: true, Lease: 2 * time.Second}
	a, la := attach(t, open(t, o), "a")
	b, lb := attach(t, open(t, o), "b")
	fa, fb := la.(belfry.Follower), lb.(belfry.Follower)
	check(t, fb.Own(t.Context(), "/", "socket"))
	unlogged := inRoom("unlogged", "socket")
	unlogged.Unlogged = true
	publishTo(t, la, inRoom("owned", "socket"), unlogged)
	check(t, fa.Follow(t.Context(), "/", "socket"))
	check(t, fb.Follow(t.Context(), "/", "socket"))
	publishTo(t, la, inRoom("both", "socket"))
	publishTo(t, lb, inRoom("own", "socket"))
	check(t, fa.Disown(t.Context(), "/", "socket")) // not its owner
	check(t, fb.Unfollow(t.Context(), "/", "socket"))
	publishTo(t, la, inRoom("still", "socket"))
	check(t, fb.Disown(t.Context(), "/", "socket"))
	publishTo(t, la, inRoom("gone", "socket"), id("end"))
	a.expect(t, "both", "own", "still", "gone", "end")
	b.expect(t, "owned", "unlogged", "both", "own", "still", "end")
}

// TestDeadOwner: the sockets of a node that died are swept from the directory.
func TestDeadOwner(t *testing.T) {
	server := redistest.Start(t)
	b := open(t, Options{URL: server.URL(), Interest: true})
	server.Must("HSET", "belfry:{0}:owners", "/#socket", "dead")
	a, la := attach(t, b, "a")
	check(t, la.(belfry.Follower).Follow(t.Context(), "/", "socket"))
	publishTo(t, la, inRoom("m", "socket"))
	a.expect(t, "m")
	l := linkOf(la)
	l.housekeep(sweepEvery)
	if n := server.Must("HLEN", "belfry:{0}:owners"); n != ":0" {
		t.Errorf("the directory has %s entries after the sweep", n)
	}
}

// TestNoHerd: when many clients come back to a node, Redis is read once for all.
func TestNoHerd(t *testing.T) {
	server := redistest.Start(t)
	_, link := attach(t, open(t, Options{URL: server.URL()}), "a")
	log := link.(belfry.Log)
	begin, err := log.Position(t.Context())
	check(t, err)
	const messages, clients = 1000, 200
	for i := range messages {
		publishTo(t, link, id(fmt.Sprint("m", i)))
	}
	server.Must("CONFIG", "RESETSTAT")
	for range clients {
		n := 0
		check(t, log.Replay(t.Context(), "/", begin, func(*belfry.Message) error { n++; return nil }))
		if n != messages {
			t.Fatalf("replayed %d of %d", n, messages)
		}
	}
	if reads := server.Calls("xrange"); reads > clients+2*messages/readCount+10 {
		t.Errorf("%d reads of the log for %d clients", reads, clients)
	}
	if bytes := server.OutputBytes(); bytes > messages*300+clients*300 {
		t.Errorf("redis sent %d bytes for %d clients: not one reading for all", bytes, clients)
	}
}
