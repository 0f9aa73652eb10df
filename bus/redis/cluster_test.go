//go:build chaos && unix

package redis

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/bustest"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

func TestClusterSuite(t *testing.T) {
	c := redistest.StartCluster(t)
	bustest.Run(t, suiteOf(c.Master, c.URL()))
}

// TestClusterFailover kills the master that everything is on: nodes go on with its
// replica. What that had not got is lost, and then all are told.
func TestClusterFailover(t *testing.T) {
	for mode, interest := range map[string]bool{"everything": false, "interest": true} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			c := redistest.StartCluster(t)
			o := Options{
				URL: c.URL(), Interest: interest, Timeout: 500 * time.Millisecond, ProbeTimeout: 1500 * time.Millisecond,
				Lease: 2 * time.Second, Spool: Spool{Time: time.Minute},
			}
			p := redistest.AttachPair(t, [2]belfry.Bus{open(t, o), open(t, o)})
			before := redistest.Message("before")
			redistest.Publish(t, p.Links[0], before)
			p.Under(t.Context(), func() {
				c.Master.Must("CLIENT", "PAUSE", "60000", "WRITE")
				c.Replica.AwaitCaughtUp(c.Master)
				c.Master.Kill()
				awaitMaster(t, c.Replica)
			})
			p.MustBeComplete(t)
			for i, link := range p.Links {
				err := link.(belfry.Log).Replay(t.Context(), "/", before.Offset, func(*belfry.Message) error { return nil })
				if !errors.Is(err, belfry.ErrNoOffset) {
					t.Errorf("node %d replays after an offset of an earlier epoch: %v, want ErrNoOffset", i, err)
				}
			}
		})
	}
}

func awaitMaster(t *testing.T, s *redistest.Server) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(s.Must("ROLE"), "*3"); <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the replica has not taken over")
		}
	}
}

// TestShards: other shards hear nothing of the messages.
func TestShards(t *testing.T) {
	c := redistest.StartCluster(t)
	p := redistest.AttachPair(t, [2]belfry.Bus{open(t, Options{URL: c.URL()}), open(t, Options{URL: c.URL(), Interest: true})})
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
		<-time.After(20 * time.Millisecond)
	}
}
