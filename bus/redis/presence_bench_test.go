//go:build unix

package redis

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// BenchmarkPresence: a join and a leave in a room, and the list of one with 100
// members.
func BenchmarkPresence(b *testing.B) {
	server := redistest.Start(b)
	_, link := attach(b, open(b, Options{URL: server.URL()}), "a")
	p := link.(belfry.Presence)
	join := func(b *testing.B, at belfry.Place, id string) belfry.Stay {
		b.Helper()
		s := belfry.Stay{Place: at, Socket: belfry.SocketID(id), Hold: 1}
		_, err := p.Enter(context.Background(), s, belfry.Entrance{User: "user", Meta: []byte(`{"a":1}`), Back: time.Minute})
		check(b, err)
		return s
	}
	b.Run("join and leave", func(b *testing.B) {
		cpu := server.CPU()
		for i := range b.N {
			s := join(b, meeting, fmt.Sprintf("socket%014d", i))
			check(b, p.Exit(context.Background(), s, 0))
		}
		b.ReportMetric(float64((server.CPU()-cpu).Microseconds())/float64(b.N), "redis-µs/op")
	})
	b.Run("join and leave at once", func(b *testing.B) {
		b.SetParallelism(50)
		b.RunParallel(func(pb *testing.PB) {
			at := belfry.Place{Namespace: "/", Room: belfry.Room(fmt.Sprint("room", time.Now().UnixNano()))}
			for pb.Next() {
				s := join(b, at, "socket00000000000000")
				check(b, p.Exit(context.Background(), s, 0))
			}
		})
	})
	b.Run("list of 100", func(b *testing.B) {
		at := belfry.Place{Namespace: "/", Room: "hundred"}
		for i := range 100 {
			join(b, at, fmt.Sprintf("socket%014d", i))
		}
		var bytes, total int
		for _, key := range []string{linkOf(link).bus.names.members(placeKey(at)), linkOf(link).bus.names.present(linkOf(link).holder())} {
			_, err := fmt.Sscanf(server.Must("MEMORY", "USAGE", key, "SAMPLES", "0"), ":%d", &bytes)
			check(b, err)
			total += bytes
		}
		for b.Loop() {
			if all, err := p.Members(context.Background(), at); err != nil || len(all) != 100 {
				b.Fatal(len(all), err)
			}
		}
		b.ReportMetric(float64(total)/100, "redis-B/member")
	})
}
