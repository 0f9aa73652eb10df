//go:build unix

package demo

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/internal/backplane"
	"github.com/seed-09a96375/belfry/internal/kafkatest"
	"github.com/seed-09a96375/belfry/socketio"
)

// TestTrucksReport has trucks on the map of a node in each of the ways that readings
// can take, and the page say which.
func TestTrucksReport(t *testing.T) {
	for name, way := range map[string]func(t *testing.T, o *Options) (says string){
		"simulator": func(*testing.T, *Options) string { return "from a simulator" },
		"redis": func(t *testing.T, o *Options) string {
			o.Bus = backplane.Options{URL: redistest.Start(t).URL()}
			return "from a simulator in this process, orders by the Redis Stream orders"
		},
		"kafka": func(t *testing.T, o *Options) string {
			var bed kafkatest.Bed
			t.Cleanup(bed.Close)
			o.Kafka = "kafka://" + bed.Broker(t).Addr()
			return "by Kafka, topic telemetry-stream, orders by topic orders"
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Trucks: 40, Nodes: 1, Logger: slog.New(slog.DiscardHandler)}
			says := way(t, &o)
			reports(t, o.withDefaults(), says)
		})
	}
}

func reports(t *testing.T, o Options, says string) {
	t.Helper()
	d, err := newTrucking(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := socketio.New(socketio.Options{})
	if err != nil {
		t.Fatal(err)
	}
	stop, err := d.start(srv, "node-1", o.Logger, http.NewServeMux())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.run(ctx, o.Logger) }()
	clock := time.NewTicker(20 * time.Millisecond)
	defer clock.Stop()
	for end := time.Now().Add(60 * time.Second); ; <-clock.C {
		all, err := d.options.State.All(t.Context(), time.Time{})
		if err == nil && len(all) == o.Trucks {
			break
		}
		if time.Now().After(end) {
			t.Errorf("%d of %d trucks are on the map, %v", len(all), o.Trucks, err)
			break
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
	if err := srv.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	stop()
	if err := d.close(); err != nil {
		t.Error(err)
	}
	if got := d.options.Page.Source; !strings.Contains(got, says) || !strings.HasSuffix(got, "SQLite until the demo stops.") {
		t.Errorf("the page says %q, want %q in it", got, says)
	}
}
