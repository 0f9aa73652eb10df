package memory_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
)

// BenchmarkPublish is the cost of the bus itself: nodes do nothing.
func BenchmarkPublish(b *testing.B) {
	for _, nodes := range []int{1, 2} {
		for name, o := range map[string]memory.Options{"unlogged": {}, "logged": {Log: &memory.Log{}}} {
			b.Run(fmt.Sprintf("nodes=%d/%s", nodes, name), func(b *testing.B) {
				links := benchLinks(b, o, nodes)
				b.ReportAllocs()
				for b.Loop() {
					m := belfry.Message{Namespace: "/", Target: belfry.Target{Rooms: benchRoom}, Data: benchData}
					if err := links[0].Publish(b.Context(), &m); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkPublishParallel publishes to a room for each goroutine.
func BenchmarkPublishParallel(b *testing.B) {
	links := benchLinks(b, memory.Options{}, 2)
	var next atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		n := next.Add(1)
		target := belfry.Target{Rooms: []belfry.Room{belfry.Room(fmt.Sprint("room", n))}}
		for pb.Next() {
			m := belfry.Message{Namespace: "/", Target: target, Data: benchData}
			if err := links[n%2].Publish(b.Context(), &m); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkReplay walks the whole of a full log.
func BenchmarkReplay(b *testing.B) {
	link := benchLinks(b, memory.Options{Log: &memory.Log{}}, 1)[0]
	log := link.(belfry.Log)
	begin, err := log.Position(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for range 10_000 {
		m := belfry.Message{Namespace: "/", Target: belfry.Target{Rooms: benchRoom}, Data: benchData}
		if err := link.Publish(b.Context(), &m); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := log.Replay(b.Context(), "/", begin, func(*belfry.Message) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

var (
	benchRoom = []belfry.Room{"room"}
	benchData = []byte(`["chat",{"text":"hello"}]`)
)

func benchLinks(b *testing.B, o memory.Options, n int) []belfry.Link {
	bus := memory.New(o)
	links := make([]belfry.Link, n)
	for i := range links {
		links[i] = attach(b, bus, &node{id: belfry.NodeID(fmt.Sprint("n", i))})
	}
	return links
}
