//go:build unix

package redis

import (
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// TestFollowInANewEpoch: who follows a room when the epoch has just changed gets
// nothing that came to the room before, although the log is read from further back.
func TestFollowInANewEpoch(t *testing.T) {
	t.Parallel() // it takes togetherFor, since one node stands still
	server := redistest.Start(t, "--enable-debug-command", "yes")
	o := Options{URL: server.URL(), Interest: true}
	a, la := attach(t, open(t, o), "a")
	_, lb := attach(t, open(t, o), "b")
	redistest.Publish(t, lb, redistest.Message("first"))
	check(t, a.Await(t.Context(), "first"))

	// The feed of a stands still meanwhile.
	stands, goOn := make(chan struct{}), make(chan struct{})
	linkOf(la).feed.do(t.Context(), func(*feed) { close(stands); <-goOn })
	<-stands
	redistest.Publish(t, lb, redistest.Message("before", "x"))
	server.Must("DEBUG", "CHANGE-REPL-ID")
	server.Must("SCRIPT", "FLUSH")
	redistest.Publish(t, lb, redistest.Message("before, in the new epoch", "x"))
	check(t, la.(belfry.Follower).Follow(t.Context(), "/", "x"))
	close(goOn)
	redistest.Publish(t, lb, redistest.Message("after", "x"), redistest.Message("end"))
	a.Expect(t, "first", "after", "end")
}

// TestFollowedAgainMeanwhile: a room is left and followed again while the feed is
// behind, about to read the log. What it reads there does not come live once more.
func TestFollowedAgainMeanwhile(t *testing.T) {
	o := Options{URL: redistest.Start(t).URL(), Interest: true, ProbeTimeout: time.Minute}
	_, other := attach(t, open(t, o), "a")
	n, link := attach(t, open(t, o), "b")
	f, l := link.(belfry.Follower), linkOf(link)
	publish := func(ids ...string) {
		for _, id := range ids {
			redistest.Publish(t, other, redistest.Message(id, "x"))
		}
	}
	check(t, f.Follow(t.Context(), "/", "x"))
	publish("m1")
	check(t, n.Await(t.Context(), "m1"))
	stands, goOn := make(chan struct{}), make(chan struct{})
	l.feed.do(t.Context(), func(f *feed) {
		close(stands)
		<-goOn
		f.repair(f.last(roomChannel("/", "x")))
	})
	<-stands
	check(t, f.Unfollow(t.Context(), "/", "x"))
	publish("m2", "m3")
	check(t, f.Follow(t.Context(), "/", "x"))
	publish("m4", "m5")
	close(goOn)
	publish("end")
	n.Expect(t, "m1", "m4", "m5", "end")
}
