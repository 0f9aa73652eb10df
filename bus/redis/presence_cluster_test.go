//go:build chaos && unix

package redis

import (
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/bustest"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// TestClusterPresence runs the suite of presence in a Redis Cluster.
func TestClusterPresence(t *testing.T) {
	c := redistest.StartCluster(t)
	bustest.RunPresence(t, func(t *testing.T) bustest.PresenceFactory {
		o := Options{URL: c.URL(), Prefix: t.Name() + ":", Lease: 2 * time.Second, Interest: true}
		return bustest.PresenceFactory{
			Factory: bustest.Factory{Bus: func(int) belfry.Bus { return open(t, o) }},
			Kill:    die,
		}
	})
}

// TestClusterPresenceFailover: members outlive the master that knew them, and what
// its replica had not got is told again.
func TestClusterPresenceFailover(t *testing.T) {
	c := redistest.StartCluster(t)
	o := Options{
		URL: c.URL(), Timeout: 500 * time.Millisecond, ProbeTimeout: 1500 * time.Millisecond,
		Lease: 2 * time.Second, Spool: Spool{Time: time.Minute},
	}
	_, a := attach(t, open(t, o), "a")
	_, b := attach(t, open(t, o), "b")
	enter(t, a, "before", time.Minute)
	c.Replica.AwaitCaughtUp(c.Master)
	check(t, linkOf(b).exit(t.Context(), meeting, "before", "other hold", 0)) // changes nothing
	c.Master.Kill()
	c.Replica.AwaitMaster()
	enter(t, b, "after", time.Minute)
	awaitPresent(t, a, "after", "before")
}
