//go:build unix

package redis

import (
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// TestFollowInANewEpoch: who follows a room when the epoch has just changed gets
// nothing that came to the room before, although the log is read from further back.
func TestFollowInANewEpoch(t *testing.T) {
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
