package serve

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/seed-09a96375/belfry/auth"
)

// series are what a node serves, by name and labels as Prometheus writes them:
// belfry_clients{front="stomp"}.
type series map[string]float64

// scrape reads the metrics at an address.
func scrape(t *testing.T, base, key string) series {
	t.Helper()
	status, text := call(t, base, http.MethodGet, "/metrics", "", key)
	if status != http.StatusOK {
		t.Fatalf("/metrics: %d %s", status, text)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	all := make(series)
	for name, f := range families {
		for _, m := range f.GetMetric() {
			all[name+labelsOf(m)] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return all
}

func labelsOf(m *dto.Metric) string {
	if len(m.GetLabel()) == 0 {
		return ""
	}
	var all []string
	for _, l := range m.GetLabel() {
		all = append(all, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
	}
	return "{" + strings.Join(all, ",") + "}"
}

// want compares series. In labels * is any text.
func (s series) want(t *testing.T, all map[string]float64) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if got, there := s[name]; !there || got != all[name] {
			t.Errorf("%s is %v (%v), want %v", name, got, there, all[name])
		}
	}
}

// TestMetricsAreForWhoMay: who gets the metrics of a node, and how they are refused.
func TestMetricsAreForWhoMay(t *testing.T) {
	watch, other := strings.Repeat("w", 32), strings.Repeat("o", 32)
	known := meeting()
	known.Auth.APIKeys = append(known.Auth.APIKeys,
		auth.APIKey{Name: "prometheus", Key: watch, Grants: auth.Rules{Metrics: true}},
		auth.APIKey{Name: "other", Key: other, Grants: auth.Rules{Publish: []string{"*"}}})
	user := token(t, "ada", time.Hour, map[string]any{"join": []string{"*"}})
	watcher := token(t, "p", time.Hour, map[string]any{"metrics": true})
	for _, test := range []struct {
		name string
		o    Options
		want map[string]int // status, by key
	}{
		{"by default", Options{}, map[string]int{"": 401, watch: 401}},
		{"open", Options{Open: true}, map[string]int{"": 200}},
		{"with keys", known, map[string]int{"": 401, "wrong": 401, other: 403, user: 403, watch: 200, watcher: 200, apiKey: 200}},
	} {
		t.Run(test.name, func(t *testing.T) {
			base := rootOf(run(t, test.o))
			for key, want := range test.want {
				if got, text := call(t, base, http.MethodGet, "/metrics", "", key); got != want {
					t.Errorf("key %.10q: %d, want %d: %.200s", key, got, want, text)
				}
			}
			if got, _ := call(t, base, http.MethodPost, "/metrics", "", watch); got != http.StatusMethodNotAllowed {
				t.Errorf("POST: %d, want %d", got, http.StatusMethodNotAllowed)
			}
		})
	}
	base := rootOf(run(t, known))
	if got, text := call(t, base, http.MethodGet, "/api/nodes", "", watch); got != http.StatusForbidden {
		t.Errorf("the API lets in a key that is for metrics alone: %d %s", got, text)
	}
}

var watched = regexp.MustCompile(`msg=metrics.* url=http://(\S+)/metrics`)

// TestMetricsOnTheirOwnAddress: without a key there, and nowhere else.
func TestMetricsOnTheirOwnAddress(t *testing.T) {
	o := meeting()
	o.Metrics.Listen = "localhost:0"
	n := start(t, o)
	own := ""
	for _, line := range n.lines() {
		if m := watched.FindStringSubmatch(line); m != nil {
			own = m[1]
		}
	}
	scrape(t, own, "").want(t, map[string]float64{"belfry_ready": 1, `belfry_clients{front="socketio"}`: 0})
	if status, text := call(t, own, http.MethodGet, "/healthz/ready", "", ""); status != http.StatusOK {
		t.Errorf("/healthz/ready beside them: %d %s", status, text)
	}
	if status, _ := call(t, own, http.MethodGet, "/api/nodes", "", apiKey); status != http.StatusNotFound {
		t.Errorf("the API is there, too: %d", status)
	}
	if status, _ := call(t, rootOf(n.addr), http.MethodGet, "/metrics", "", apiKey); status != http.StatusNotFound {
		t.Errorf("the address of clients has them, too: %d", status)
	}
}

func TestFaultsOfMetricsAreNamed(t *testing.T) {
	for listen, o := range map[string]Options{
		"9464":  {},
		":8080": {},
		":9464": {Listen: ":9464"},
	} {
		o.Metrics.Listen = listen
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), "serve: Options.Metrics.Listen is") {
			t.Errorf("%q: %v", listen, err)
		}
	}
	for _, o := range []Options{{STOMP: STOMP{Path: "/metrics"}}, {Plain: Plain{WebSocket: "/metrics"}}} {
		if o.Validate() == nil {
			t.Error("the path of the metrics is taken by a front")
		}
		o.Metrics.Listen = "127.0.0.1:9464"
		if err := o.Validate(); err != nil {
			t.Errorf("a path that is free: %v", err)
		}
	}
}

func TestMetricsAddressIsTaken(t *testing.T) {
	o := Options{Listen: "127.0.0.1:0", Metrics: Metrics{Listen: "127.0.0.1:1"}}
	taken := rootOf(run(t, Options{}))
	o.Metrics.Listen = taken
	err := Run(t.Context(), o)
	var hint interface{ Hint() string }
	if err == nil || !strings.Contains(err.Error(), "metrics: port") || !errors.As(err, &hint) || !strings.Contains(hint.Hint(), "--metrics-listen") {
		t.Errorf("error is %v, want that the port is taken, with a hint", err)
	}
}

// TestMetricsOfFronts: clients of all fronts on a node that is alone, with what became
// of their messages.
func TestMetricsOfFronts(t *testing.T) {
	o := meeting()
	o.MaxConnections = 4
	addr := run(t, o)
	base, ada := rootOf(addr), token(t, "ada", time.Hour, map[string]any{"join": []string{"*"}, "publish": []string{"*"}})
	io, _ := dial(t, addr, `{"token":"`+ada+`"}`, nil)
	if got := io.ask("join", "room"); got != "[]" {
		t.Fatal(got)
	}
	dial(t, addr, `{"token":"wrong"}`, nil)
	stomp := connectSTOMP(t, base, ada)
	stomp.subscribe("1", "/topic/room")
	plain, _ := connectPlain(t, base, ada)
	plain.ask(`{"id":1,"join":{"rooms":["room"]}}`)
	knock(t, addr+"?EIO=4&transport=websocket") // there is no fifth place
	if status, text := call(t, base, http.MethodPost, "/api/publish", `{"rooms":["room"],"event":"e","id":"1"}`, apiKey); status != http.StatusOK {
		t.Fatal(text)
	}
	for range 2 { // repetitions
		call(t, base, http.MethodPost, "/api/publish", `{"rooms":["room"],"event":"e","id":"1"}`, apiKey)
	}
	call(t, base, http.MethodPost, "/api/publish", `{"event":7}`, apiKey)
	io.read()
	plain.read()
	got := scrape(t, base, apiKey)
	got.want(t, map[string]float64{
		"belfry_ready":                                                1,
		"belfry_bus_up":                                               1,
		`belfry_clients{front="socketio"}`:                            2,
		`belfry_clients{front="stomp"}`:                               1,
		`belfry_clients{front="websocket"}`:                           1,
		`belfry_clients{front="events"}`:                              0,
		"belfry_clients_limit":                                        4,
		"belfry_clients_turned_away_total":                            1,
		`belfry_connects_total{front="socketio",outcome="fresh"}`:     1,
		`belfry_connects_total{front="socketio",outcome="refused"}`:   1,
		`belfry_connects_total{front="stomp",outcome="fresh"}`:        1,
		`belfry_connects_total{front="plain",outcome="fresh"}`:        1,
		"belfry_members":                                              3,
		"belfry_messages_received_total":                              1,
		"belfry_messages_delivered_total":                             3,
		"belfry_publish_duplicates_total":                             2,
		`belfry_api_requests_total{operation="publish",status="200"}`: 3,
		`belfry_api_requests_total{operation="publish",status="400"}`: 1,
		`belfry_api_request_duration_seconds{operation="publish"}`:    4,
		`belfry_publish_failures_total{reason="unavailable"}`:         0,
		`belfry_frames_dropped_total{policy="oldest"}`:                0,
		"belfry_slow_clients_closed_total":                            0,
		`belfry_metrics_failures_total{part="queues"}`:                0,
		`belfry_connects_total{front="socketio",outcome="recovered"}`: 0,
		"belfry_sessions_kept_total":                                  0,
		`belfry_connects_total{front="socketio",outcome="lost"}`:      0,
		`belfry_connects_total{front="plain",outcome="refused"}`:      0,
		`belfry_connects_total{front="stomp",outcome="recovered"}`:    0,
		`belfry_publish_failures_total{reason="in_doubt"}`:            0,
		`belfry_publish_failures_total{reason="failed"}`:              0,
		`belfry_events_unrouted_total`:                                0,
		`belfry_frames_dropped_total{policy="volatile"}`:              0,
		`belfry_connects_total{front="plain",outcome="lost"}`:         0,
		`belfry_connects_total{front="plain",outcome="recovered"}`:    0,
		`belfry_connects_total{front="stomp",outcome="refused"}`:      0,
	})
	if got["belfry_sent_bytes_total"] == 0 || got["belfry_sent_frames_total"] == 0 || got["belfry_writes_total"] == 0 || got["go_goroutines"] == 0 {
		t.Errorf("nothing was written: %v", got)
	}
}

// TestMetricsOfRecovery: one client comes back, one comes back too late.
func TestMetricsOfRecovery(t *testing.T) {
	addr := run(t, meeting())
	base, ada := rootOf(addr), token(t, "ada", time.Hour, map[string]any{"join": []string{"*"}})
	io, hello := dial(t, addr, `{"token":"`+ada+`"}`, nil)
	session := ids.FindStringSubmatch(hello)[2]
	_ = io.conn.CloseNow()
	dial(t, addr, `{"token":"`+ada+`","pid":"`+session+`"}`, nil)
	dial(t, addr, `{"token":"`+ada+`","pid":"gone"}`, nil)
	plain, _ := connectPlain(t, base, ada)
	_ = plain.conn.CloseNow()
	if stream, status := openStream(t, base, ada, "room"); stream == nil {
		t.Fatal(status)
	}
	scrape(t, base, apiKey).want(t, map[string]float64{
		`belfry_connects_total{front="socketio",outcome="fresh"}`:     1,
		`belfry_connects_total{front="socketio",outcome="recovered"}`: 1,
		`belfry_connects_total{front="socketio",outcome="lost"}`:      1,
		`belfry_clients{front="socketio"}`:                            2,
		"belfry_sessions_kept_total":                                  1,
		`belfry_connects_total{front="plain",outcome="fresh"}`:        2,
		`belfry_clients{front="events"}`:                              1,
	})
}
