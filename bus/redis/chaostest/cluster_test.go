//go:build unix

package chaostest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/bustest"
	"github.com/seed-09a96375/belfry/bus/redis"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

func TestClusterSuite(t *testing.T) {
	c := redistest.StartCluster(t)
	bustest.Run(t, func(t *testing.T) bustest.Factory {
		c.Master.Must("FLUSHALL")
		o := redis.Options{URL: c.URL(), Log: redis.Log{MaxMessages: 200_000}}
		buses := []belfry.Bus{open(t, o), open(t, o), open(t, o)}
		return bustest.Factory{
			Bus:   func(i int) belfry.Bus { return buses[i%len(buses)] },
			Keeps: true, Outlives: true, Addresses: true, Batches: true,
			Trim:    func(context.Context) error { c.Master.Must("XTRIM", "belfry:{0}:log", "MAXLEN", "0"); return nil },
			Foreign: belfry.Offset("0123abcd.mi3k2x00-1"),
		}
	})
}

// TestClusterFailover kills the master that everything is on: nodes go on with its
// replica. What that had not got is lost, and then all are told.
func TestClusterFailover(t *testing.T) {
	for mode, interest := range map[string]bool{"everything": false, "interest": true} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			c := redistest.StartCluster(t)
			o := hasty(c.URL(), interest)
			o.Spool.Time = time.Minute
			p := redistest.AttachPair(t, [2]belfry.Bus{open(t, o), open(t, o)})
			before := publishLogged(t, p.Links[0])
			p.Under(t.Context(), func() {
				c.Master.Must("CLIENT", "PAUSE", "60000", "WRITE")
				c.Replica.AwaitCaughtUp(c.Master)
				c.Master.Kill()
				c.Replica.AwaitMaster()
			})
			p.MustBeComplete(t)
			mustRefuse(t, p, before)
		})
	}
}

// TestShards: other shards hear nothing of the messages.
func TestShards(t *testing.T) {
	c := redistest.StartCluster(t)
	p := redistest.AttachPair(t, [2]belfry.Bus{open(t, redis.Options{URL: c.URL()}), open(t, redis.Options{URL: c.URL(), Interest: true})})
	for i := range 100 {
		redistest.Publish(t, p.Links[i%2], redistest.Message(fmt.Sprint(i), redistest.Room(i)))
	}
	p.MustBeComplete(t)
	for _, other := range c.Servers[:2] {
		if stats := other.Must("CLUSTER", "INFO"); strings.Contains(stats, "messages_publish") {
			t.Errorf("another shard was told of messages: %s", stats)
		}
	}
	// The control: what is not published to one shard shows.
	c.Master.Must("PUBLISH", "belfry:{0}:all", "to all shards")
	deadline := time.Now().Add(20 * time.Second)
	for !strings.Contains(c.Servers[0].Must("CLUSTER", "INFO"), "messages_publish") {
		if time.Now().After(deadline) {
			t.Fatal("what every shard is told of does not show")
		}
		wait(20 * time.Millisecond)
	}
}
