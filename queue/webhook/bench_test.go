package webhook_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/queue/memory"
	"github.com/seed-09a96375/belfry/queue/webhook"
)

// BenchmarkDeliver is what an event costs, from the append to the answer of a receiver
// that does nothing, in this process.
func BenchmarkDeliver(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer server.Close()
	q, err := memory.New(memory.Options{Groups: []string{"webhook:w"}, MaxLength: 10_000_000, MaxBytes: 1 << 40})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	var done atomic.Int64
	w := newWebhook(b, webhook.Options{Name: "w", URL: server.URL, Secret: newSecret(), Observe: func(webhook.Try) {
		if done.Add(1) == int64(b.N) {
			cancel()
		}
	}})
	for i := range b.N {
		e := event(4 * i) // without a key
		if err := q.Append(b.Context(), e); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	if err := w.Run(ctx, belfry.Consumer(q)); err != nil {
		b.Fatal(err)
	}
}
