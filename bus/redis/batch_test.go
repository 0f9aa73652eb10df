//go:build unix

package redis

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// TestABatchIsFewCalls: a batch is one entry of the log for each call, however many
// rooms it goes to.
func TestABatchIsFewCalls(t *testing.T) {
	server := redistest.Start(t)
	a, la := attach(t, open(t, Options{URL: server.URL()}), "a")
	messages := make([]*belfry.Message, 2*batchMessages+1)
	want := make([]string, len(messages))
	for i := range messages {
		want[i] = fmt.Sprint("m", i)
		messages[i] = redistest.Message(want[i], belfry.Room(fmt.Sprint("room", i%7)))
	}
	n, err := la.(belfry.Batcher).PublishAll(t.Context(), messages)
	if check(t, err); n != len(messages) || !slices.Equal(a.Got(), want) {
		t.Errorf("%d of %d were accepted, %d came", n, len(messages), len(a.Got()))
	}
	if entries := server.Must("XLEN", "belfry:{0}:log"); entries != ":3" {
		t.Errorf("the log has %s entries, want 3", entries)
	}
}

// TestBatchesOutliveRedis: batches are published while Redis is killed and started
// again, by publishers that repeat what was not accepted, as sources do. Each message
// comes once to each node, and in the order of its publisher.
func TestBatchesOutliveRedis(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	a, la := attach(t, open(t, Options{URL: server.URL()}), "a")
	b, lb := attach(t, open(t, Options{URL: server.URL(), Interest: true}), "b")
	const publishers, perPublisher, perBatch = 2, 3000, 300
	rooms := []belfry.Room{"x", "y"}
	for _, room := range rooms {
		check(t, lb.(belfry.Follower).Follow(t.Context(), "/", room))
	}
	var all sync.WaitGroup
	errs := make([]error, publishers)
	third := make(chan struct{}, publishers)
	for p := range publishers {
		all.Go(func() {
			rest := make([]*belfry.Message, perPublisher)
			for i := range rest {
				rest[i] = redistest.Message(fmt.Sprintf("p%d.%04d", p, i), rooms[i%2])
				rest[i].ID = fmt.Sprintf("id%d.%d", p, i)
			}
			for tries := 0; len(rest) > 0; tries++ {
				if tries == 3 {
					third <- struct{}{}
				}
				n, err := la.(belfry.Batcher).PublishAll(t.Context(), rest[:min(perBatch, len(rest))])
				if rest = rest[n:]; t.Context().Err() != nil {
					errs[p] = errors.Join(err, t.Context().Err())
					return
				}
			}
		})
	}
	for range 2 {
		<-third
		server.Kill()
		server.Run()
	}
	all.Wait()
	check(t, errors.Join(errs...))
	for _, room := range rooms {
		redistest.Publish(t, la, redistest.Message("end"+string(room), room))
	}
	for _, n := range []*redistest.Ledger{a, b} {
		for _, room := range rooms {
			check(t, n.Await(t.Context(), "end"+string(room)))
		}
		got := slices.DeleteFunc(n.Got(), func(id string) bool { return id[0] != 'p' })
		for p := range publishers {
			mine := slices.DeleteFunc(slices.Clone(got), func(id string) bool { return id[1] != byte('0'+p) })
			if len(mine) != perPublisher || !slices.IsSorted(mine) || len(slices.Compact(mine)) != perPublisher {
				t.Errorf("node %s got %d messages of publisher %d, want %d in order, each once", n.ID(), len(mine), p, perPublisher)
			}
		}
	}
}
