//go:build unix

package redisstream

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// BenchmarkAppend appends events with 128 bytes of arguments, for a number of
// clients that each wait for one before the next, and tells what Redis takes.
func BenchmarkAppend(b *testing.B) {
	for _, clients := range []int{1, 200} {
		for _, keyed := range []bool{false, true} {
			b.Run(fmt.Sprintf("clients=%d/keyed=%v", clients, keyed), func(b *testing.B) {
				server := redistest.Start(b)
				q := open(b, Options{Redis: at(server), Groups: []string{"g"}, TrimEvery: -1, Logger: slog.New(slog.DiscardHandler)})
				begun := server.CPU()
				b.ReportAllocs()
				b.ResetTimer()
				appendFrom(b, q, clients, keyed)
				b.StopTimer()
				b.ReportMetric(float64((server.CPU()-begun).Microseconds())/float64(b.N), "redis-µs/event")
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}

func appendFrom(b *testing.B, q *Queue, clients int, keyed bool) {
	args := json.RawMessage(fmt.Sprintf(`[%q]`, fmt.Sprintf("%0124d", 7)))
	var next atomic.Int64
	var all sync.WaitGroup
	for c := range clients {
		e := belfry.Event{Namespace: "/", Name: "order", Args: args, Socket: "12345678901234567890", User: "ada", Node: "node-1"}
		if keyed {
			e.Key = fmt.Sprint("user", c)
		}
		all.Go(func() {
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					return
				}
				e := e
				e.ID = fmt.Sprint("id-", n)
				if err := q.Append(b.Context(), &e); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

// BenchmarkConsume handles events that wait, and tells what Redis takes.
func BenchmarkConsume(b *testing.B) {
	for _, keyed := range []bool{false, true} {
		b.Run(fmt.Sprintf("keyed=%v", keyed), func(b *testing.B) {
			server := redistest.Start(b)
			q := open(b, Options{Redis: at(server), Groups: []string{"g"}, TrimEvery: -1, Logger: slog.New(slog.DiscardHandler)})
			appendFrom(b, q, 200, keyed)
			begun := server.CPU()
			b.ResetTimer()
			consumeAll(b, q, b.N, belfry.ConsumeOptions{Concurrency: 64})
			b.StopTimer()
			b.ReportMetric(float64((server.CPU()-begun).Microseconds())/float64(b.N), "redis-µs/event")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
