//go:build unix

package redisstream_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/source/redisstream"
)

// BenchmarkRead is what a record costs besides the handler, one at a time and in
// batches.
func BenchmarkRead(b *testing.B) {
	server := redistest.Start(b)
	client := connect(b, server)
	for name, batches := range map[string]bool{"single": false, "batches": true} {
		b.Run(name, func(b *testing.B) {
			stream := fmt.Sprint(name, b.N)
			server.Must("EVAL", "for i = 1, ARGV[1] do redis.call('XADD', KEYS[1], '*', 'v', ARGV[2], 'k', i) end", "1", stream,
				fmt.Sprint(b.N), fmt.Sprintf("%0128d", 0))
			s, err := redisstream.New(redisstream.Options{Client: client, Stream: stream, Node: "n", Lease: time.Minute, Field: "v"})
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			got := 0
			count := func(n int) {
				if got += n; got == b.N {
					cancel()
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			if batches {
				err = s.RunBatches(ctx, belfry.BatchLimit{}, func(_ context.Context, all []*belfry.Record) error {
					count(len(all))
					return nil
				})
			} else {
				err = s.Run(ctx, func(context.Context, *belfry.Record) error {
					count(1)
					return nil
				})
			}
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}
