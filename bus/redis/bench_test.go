//go:build unix

package redis

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// counter is a node that counts.
type counter struct {
	id  belfry.NodeID
	got atomic.Int64
}

func (c *counter) ID() belfry.NodeID       { return c.id }
func (c *counter) Deliver(*belfry.Message) { c.got.Add(1) }
func (c *counter) Replied(*belfry.Reply)   {}

// BenchmarkNodes publishes logged messages of 128 bytes, each to a room that has
// members on one node, and tells what Redis takes for one. It has 1,000 rooms,
// spread over the nodes.
func BenchmarkNodes(b *testing.B) {
	for _, interest := range []bool{false, true} {
		for _, nodes := range []int{1, 2, 5, 10} {
			b.Run(fmt.Sprintf("interest=%v/nodes=%d", interest, nodes), func(b *testing.B) {
				server := redistest.Start(b)
				links := attachCounters(b, Options{
					URL: server.URL(), Interest: interest, Logger: slog.New(slog.DiscardHandler),
				}, nodes)
				begun := server.CPU()
				b.ResetTimer()
				publishAll(b, links)
				b.StopTimer()
				b.ReportMetric(float64((server.CPU()-begun).Microseconds())/float64(b.N), "redis-µs/msg")
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
			})
		}
	}
}

// benchRooms is how many rooms there are; room i has its members on node i modulo
// the number of nodes.
const benchRooms = 1000

func benchRoom(i int) belfry.Room { return belfry.Room(fmt.Sprint("room", i%benchRooms)) }

// attachCounters returns the links of nodes of which each follows its own rooms.
func attachCounters(b *testing.B, o Options, nodes int) []belfry.Link {
	b.Helper()
	links := make([]belfry.Link, nodes)
	for i := range links {
		link, err := open(b, o).Attach(b.Context(), &counter{id: belfry.NodeID(fmt.Sprint("node", i))})
		check(b, err)
		b.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			check(b, link.Close(ctx))
		})
		links[i] = link
		if f, ok := link.(belfry.Follower); ok {
			for r := i; r < benchRooms; r += nodes {
				check(b, f.Follow(b.Context(), "/", benchRoom(r)))
			}
		}
	}
	return links
}

// publishAll publishes b.N messages from 64 goroutines, each on another node than
// that of the room's members if there is one.
func publishAll(b *testing.B, links []belfry.Link) {
	b.Helper()
	data := append(append([]byte(`["e","`), bytes.Repeat([]byte("x"), 120)...), '"', ']')
	var next atomic.Int64
	var publishers sync.WaitGroup
	for range 64 {
		publishers.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				m := redistest.Message("", benchRoom(int(n)))
				m.Data = data
				if err := links[int(n+1)%len(links)].Publish(b.Context(), m); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	publishers.Wait()
}

// BenchmarkCrossing tells how long a message takes from one node to another that has
// nothing else to do, beside a round trip to Redis.
func BenchmarkCrossing(b *testing.B) {
	server := redistest.Start(b)
	o := Options{URL: server.URL(), Interest: true, Logger: slog.New(slog.DiscardHandler)}
	here, err := open(b, o).Attach(b.Context(), &counter{id: "here"})
	check(b, err)
	node := &arrivals{counter{id: "there"}, make(chan time.Time, 1)}
	there, err := open(b, o).Attach(b.Context(), node)
	check(b, err)
	defer func() { check(b, here.Close(context.Background())); check(b, there.Close(context.Background())) }()
	check(b, there.(belfry.Follower).Follow(b.Context(), "/", "x"))
	client := linkOf(here).bus.client
	crossing, trips := make([]time.Duration, 0, b.N), make([]time.Duration, 0, b.N)
	for b.Loop() {
		<-time.After(5 * time.Millisecond)
		begun := time.Now()
		check(b, client.Do(b.Context(), client.B().Ping().Build()).Error())
		trips = append(trips, time.Since(begun))
		<-time.After(5 * time.Millisecond)
		begun = time.Now()
		check(b, here.Publish(b.Context(), redistest.Message("m", "x")))
		crossing = append(crossing, (<-node.at).Sub(begun))
	}
	slices.Sort(crossing)
	slices.Sort(trips)
	b.ReportMetric(float64(crossing[len(crossing)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(trips[len(trips)/2].Microseconds()), "ping-p50-µs")
}

// arrivals is a node that tells when a message comes.
type arrivals struct {
	counter
	at chan time.Time
}

func (n *arrivals) Deliver(*belfry.Message) { n.at <- time.Now() }
