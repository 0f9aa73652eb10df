//go:build unix

package serve

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/internal/route"
	"github.com/seed-09a96375/belfry/queue/webhook"
)

// metered are options of a node with a queue that nobody consumes, one that a backend
// does, a webhook, a source and an archive.
func metered(t *testing.T, redis, hook string) Options {
	o := meeting()
	o.Bus.URL = redis
	o.Archive.SQLite = t.TempDir() + "/messages.db"
	o.Queues = []Queue{{Name: "late", Groups: []string{"nobody"}}, {Name: "orders", Groups: []string{"backend"}}}
	o.Webhooks = []webhook.Options{{
		Name: "hook", URL: hook, Secret: base64.StdEncoding.EncodeToString(make([]byte, 32)), Backoff: 10 * time.Millisecond, MaxTries: 2,
	}}
	room := route.Emit{Rooms: []string{"room"}}
	o.Routes = route.Options{
		Routes: []route.Route{
			{Event: "late", Queue: "late", ID: "{args.0|}"},
			{Event: "order*", Queue: "orders", Reply: true, Require: []string{route.RequireUser}},
			{Event: "hook", Webhook: "hook"},
			{Event: "say", Emit: room, Archive: true},
		},
		Sources: []route.Source{{Name: "news", Stream: "NEWS", Emit: route.Emit{Rooms: []string{"{payload.room}"}}}},
	}
	return o
}

// TestMetricsOfACluster: what one node did, and what is the same on both.
func TestMetricsOfACluster(t *testing.T) {
	redis := redistest.Start(t)
	var requests atomic.Int64
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if requests.Add(1) <= 3 { // of the first event one, and both of the second
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer hook.Close()
	o := metered(t, redis.URL(), hook.URL)
	addr := run(t, o)
	backend(t, redis.URL(), "orders")
	redis.Must("XADD", "NEWS", "*", "room", "room")
	redis.Must("XADD", "NEWS", "*", "nothing", "of use")
	io, _ := dial(t, addr, `{"token":"`+token(t, "ada", time.Hour, map[string]any{"publish": []string{"room"}})+`"}`, nil)
	for i, event := range [][]any{{"late", "1"}, {"late", "1"}, {"late", "2"}, {"order", 1}, {"order.bad"}, {"say", "hi"}, {"unknown"}, {"hook"}, {"hook"}} {
		if got := io.ask(event...); strings.Contains(got, "error") != (i == 4 || i == 6) {
			t.Fatalf("%v: %s", event, got)
		}
	}
	base, all := rootOf(addr), map[string]float64{
		`belfry_route_events_total{outcome="accepted",route="late"}`:      3,
		`belfry_route_events_total{outcome="accepted",route="order*"}`:    2,
		`belfry_route_answers_total{outcome="answered",route="order*"}`:   1,
		`belfry_route_answers_total{outcome="rejected",route="order*"}`:   1,
		"belfry_events_unrouted_total":                                    1,
		`belfry_queue_appends_total{outcome="appended",queue="late"}`:     2,
		`belfry_queue_appends_total{outcome="duplicate",queue="late"}`:    1,
		`belfry_queue_length{queue="late"}`:                               2,
		`belfry_queue_lag{group="nobody",queue="late"}`:                   2,
		`belfry_queue_pending{group="nobody",queue="late"}`:               0,
		`belfry_queue_lag{group="backend",queue="orders"}`:                0,
		`belfry_queue_oldest_age_seconds{group="backend",queue="orders"}`: 0,
		`belfry_queue_consumers{group="backend",queue="orders"}`:          1,
		`belfry_queue_dead_letters{queue="hook"}`:                         1,
		`belfry_webhook_requests_total{status="500",webhook="hook"}`:      3,
		`belfry_webhook_requests_total{status="200",webhook="hook"}`:      1,
		`belfry_webhook_request_duration_seconds{webhook="hook"}`:         4,
		`belfry_source_up{source="news"}`:                                 1,
		`belfry_source_records_total{outcome="published",source="news"}`:  1,
		`belfry_source_records_total{outcome="dead",source="news"}`:       1,
		`belfry_source_lag{source="news"}`:                                0,
		"belfry_archive_up":                                               1,
		"belfry_archive_rows_total":                                       1,
		"belfry_archive_lag":                                              0,
		"belfry_bus_up":                                                   1,
		"belfry_bus_losses_total":                                         0,
	}
	got := settled(t, base, all)
	got.want(t, all)
	if age := got[`belfry_queue_oldest_age_seconds{group="nobody",queue="late"}`]; age <= 0 {
		t.Errorf("the oldest event that nobody consumes is %v s old", age)
	}
	other := scrape(t, rootOf(run(t, o)), apiKey)
	other.want(t, map[string]float64{
		`belfry_queue_lag{group="nobody",queue="late"}`:               2,
		`belfry_queue_dead_letters{queue="hook"}`:                     1,
		`belfry_queue_appends_total{outcome="appended",queue="late"}`: 0,
		`belfry_route_events_total{outcome="accepted",route="late"}`:  0,
	})
	away(t, redis, base)
}

// settled scrapes until there is what is wanted, or too much time is over.
func settled(t *testing.T, base string, all map[string]float64) (got series) {
	t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); ; {
		got = scrape(t, base, apiKey)
		missing := 0
		for name, value := range all {
			if now, there := got[name]; !there || now != value {
				missing++
			}
		}
		if missing == 0 {
			return got
		}
		select {
		case <-tick.C:
		case <-deadline:
			return got
		}
	}
}

// away ends Redis: the metrics say so, and what only it knows is not there.
func away(t *testing.T, redis *redistest.Server, base string) {
	t.Helper()
	redis.Kill()
	const lag = `belfry_queue_lag{group="nobody",queue="late"}`
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); ; {
		got := scrape(t, base, apiKey)
		_, there := got[lag]
		if !there && got["belfry_bus_up"] == 0 && got["belfry_ready"] == 0 && got[`belfry_metrics_failures_total{part="queues"}`] > 0 {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("without Redis: %s", fmt.Sprint(got))
		}
	}
}
