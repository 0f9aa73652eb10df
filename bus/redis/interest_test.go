//go:build unix

package redis

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

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
	first := redistest.Message("to y", "y")
	redistest.Publish(t, la, redistest.Message("to x", "x"), first, redistest.Message("to both", "x", "y"), redistest.Message("to nobody", "z"), redistest.Message("to all"))
	if first.Origin != "a" || first.Offset == "" {
		t.Errorf("a message that does not come back has origin %q and offset %q", first.Origin, first.Offset)
	}
	check(t, fb.Unfollow(t.Context(), "/", "y"))
	redistest.Publish(t, la, redistest.Message("to y again", "y"), redistest.Message("end"))
	a.Expect(t, "to x", "to both", "to all", "end")
	b.Expect(t, "to y", "to both", "to all", "end")
	c.Expect(t, "to x", "to y", "to both", "to nobody", "to all", "to y again", "end")
}

// aSocket has the form of a socket's id.
const aSocket = "abcdefghijklmnopqrst"

// TestSockets: a socket is a room without a subscription. Who follows the room of
// that name gets its messages as well, once.
func TestSockets(t *testing.T) {
	server := redistest.Start(t)
	o := Options{URL: server.URL(), Interest: true, Lease: 2 * time.Second}
	a, la := attach(t, open(t, o), "a")
	b, lb := attach(t, open(t, o), "b")
	fa, fb := la.(belfry.Follower), lb.(belfry.Follower)
	check(t, fb.Own(t.Context(), "/", aSocket))
	unlogged := redistest.Message("unlogged", aSocket)
	unlogged.Unlogged = true
	redistest.Publish(t, la, redistest.Message("owned", aSocket), unlogged)
	check(t, fa.Follow(t.Context(), "/", aSocket))
	check(t, fb.Follow(t.Context(), "/", aSocket))
	redistest.Publish(t, la, redistest.Message("both", aSocket))
	redistest.Publish(t, lb, redistest.Message("own", aSocket))
	check(t, fa.Disown(t.Context(), "/", aSocket)) // not its owner
	check(t, fb.Unfollow(t.Context(), "/", aSocket))
	redistest.Publish(t, la, redistest.Message("still", aSocket))
	check(t, fb.Disown(t.Context(), "/", aSocket))
	redistest.Publish(t, la, redistest.Message("gone", aSocket), redistest.Message("end"))
	a.Expect(t, "both", "own", "still", "gone", "end")
	b.Expect(t, "owned", "unlogged", "both", "own", "still", "end")
}

// TestDeadOwner: the sockets of a node that died are swept from the directory.
func TestDeadOwner(t *testing.T) {
	server := redistest.Start(t)
	b := open(t, Options{URL: server.URL(), Interest: true})
	server.Must("HSET", "belfry:{0}:owners", "/#"+aSocket, "dead")
	a, la := attach(t, b, "a")
	check(t, la.(belfry.Follower).Follow(t.Context(), "/", aSocket))
	redistest.Publish(t, la, redistest.Message("m", aSocket))
	a.Expect(t, "m")
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
		redistest.Publish(t, link, redistest.Message(fmt.Sprint("m", i)))
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
