package redisstream

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/seed-09a96375/belfry"
)

// consumeAll consumes until n events were handled.
func consumeAll(tb testing.TB, q *Queue, n int, o belfry.ConsumeOptions) {
	tb.Helper()
	ctx, stop := context.WithCancel(tb.Context())
	defer stop()
	var got atomic.Int64
	if err := q.Consume(ctx, "g", func(context.Context, *belfry.Delivery) (*belfry.Answer, error) {
		if got.Add(1) == int64(n) {
			stop()
		}
		return nil, nil
	}, o); err != nil {
		tb.Fatal(err)
	}
}
