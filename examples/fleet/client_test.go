package fleet_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/archive/sqlite"
	busmemory "github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/examples/fleet"
	"github.com/seed-09a96375/belfry/queue/memory"
	"github.com/seed-09a96375/belfry/socketio"
	"github.com/seed-09a96375/belfry/socketio/socketiotest"
)

const patience = 20 * time.Second

// password is that of all users of the tests.
const password = "only for tests"

var hashed = sync.OnceValues(func() (string, error) { return fleet.HashQuickly(password) })

func users(t testing.TB) []fleet.User {
	t.Helper()
	hash, err := hashed()
	if err != nil {
		t.Fatal(err)
	}
	return []fleet.User{
		{Name: "manager", Hash: hash, Role: fleet.Manager},
		{Name: "north", Hash: hash, Role: fleet.Pharmacist, Fleets: []string{"NORTH"}},
	}
}

// node is one of a cluster.
type node struct {
	*fleet.Fleet
	url string
	t   testing.TB
}

// shared is what nodes of a test have in common. What is nil is made.
type shared struct {
	bus   func() belfry.Bus
	state func() fleet.State
	store archive.Store
	queue fleet.Queue
	risk  fleet.RiskFunc
	with  func(*fleet.Options)
}

// cluster starts nodes.
func cluster(t testing.TB, nodes int, with shared) []*node {
	t.Helper()
	bus, state := busmemory.New(busmemory.Options{Log: &busmemory.Log{}}), &fleet.Memory{}
	if with.bus == nil {
		with.bus = func() belfry.Bus { return bus }
	}
	if with.state == nil {
		with.state = func() fleet.State { return state }
	}
	if with.store == nil {
		with.store = openStore(t)
	}
	if with.queue == nil {
		q, err := memory.New(memory.Options{})
		if err != nil {
			t.Fatal(err)
		}
		with.queue = q
	}
	secret := rand.Text() + rand.Text()
	all := make([]*node, nodes)
	for i := range all {
		all[i] = serve(t, with, secret)
	}
	return all
}

func openStore(t testing.TB) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Options{File: filepath.Join(t.TempDir(), "alerts.db"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func serve(t testing.TB, with shared, secret string) *node {
	t.Helper()
	srv, err := socketio.New(socketio.Options{
		Bus: with.bus(), Recovery: &socketio.Recovery{MaxDisconnection: time.Minute}, Slow: fleet.Slow,
	})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{t: t}
	o := fleet.Options{
		State: with.state(), Store: with.store, Queue: with.queue, Users: users(t), Secret: secret, Risk: with.risk,
		Report: func(ctx context.Context, r fleet.Reading) error { return n.Take(ctx, []fleet.Reading{r}) },
		Forget: 24 * time.Hour, Logger: slog.New(slog.DiscardHandler),
	}
	if with.with != nil {
		with.with(&o)
	}
	if n.Fleet, err = fleet.New(srv, srv.Namespace, o); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.Handle("/api/", n.API())
	mux.Handle("/", n.Page())
	web := httptest.NewServer(mux)
	n.url = web.URL
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := srv.Close(ctx); err != nil {
			t.Errorf("close server: %v", err)
		}
		n.Close()
		web.Close()
	})
	return n
}

// reply is what the API says.
type reply struct {
	status int
	body   map[string]any
}

// post calls the API.
func (n *node) post(path, token string, body any) reply {
	n.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		n.t.Fatal(err)
	}
	q, err := http.NewRequestWithContext(n.t.Context(), http.MethodPost, n.url+path, bytes.NewReader(text))
	if err != nil {
		n.t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Authorization", "Bearer "+token)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	r, err := client.Do(q)
	if err != nil {
		n.t.Fatal(err)
	}
	defer r.Body.Close()
	text, err = io.ReadAll(r.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	a := reply{status: r.StatusCode}
	_ = json.Unmarshal(text, &a.body) // some errors are plain text
	return a
}

func (n *node) token(user string) string {
	n.t.Helper()
	r := n.post("/api/auth/login", "", map[string]string{"username": user, "password": password})
	token, ok := r.body["token"].(string)
	if r.status != http.StatusOK || !ok {
		n.t.Fatalf("%s cannot log in: %v", user, r)
	}
	return token
}

// take takes readings in.
func (n *node) take(readings ...fleet.Reading) {
	n.t.Helper()
	if err := n.Take(n.t.Context(), readings); err != nil {
		n.t.Fatal(err)
	}
}

// dashboard is somebody who watches.
type dashboard struct {
	*socketiotest.Client
	t testing.TB
}

func (n *node) open(user string) *dashboard {
	n.t.Helper()
	auth := map[string]string{"token": n.token(user)}
	d := &dashboard{socketiotest.Connect(n.t, socketiotest.Options{URL: n.url, Auth: auth}), n.t}
	d.orders() // it is where it hears of things before it is answered
	return d
}

// watched is the answer to watch.
type watched struct {
	Trucks        []fleet.Reading
	InView, Known int
}

// watch returns what the dashboard is told at once.
func (d *dashboard) watch(q map[string]any) (w watched) {
	d.t.Helper()
	answer := d.Ask("watch", q)
	if refused := d.Refusal(answer); refused != "" {
		d.t.Fatalf("watch is refused: %s", refused)
	}
	d.Decode(answer[0], &w)
	slices.SortFunc(w.Trucks, func(a, b fleet.Reading) int { return bytes.Compare([]byte(a.Truck), []byte(b.Truck)) })
	return w
}

// alerts returns those of the past, the newest first.
func (d *dashboard) alerts() (ids []string) {
	d.t.Helper()
	var page struct{ Alerts []fleet.Alert }
	d.Decode(d.Ask("alerts", map[string]any{})[0], &page)
	for _, a := range page.Alerts {
		ids = append(ids, a.ID)
	}
	return ids
}

// waitAlert waits for the next notification.
func (d *dashboard) waitAlert() (a fleet.Alert) {
	d.t.Helper()
	d.Decode(d.Next("notification").Args[0], &a)
	return a
}

// waitUpdate waits for the next update of a truck.
func (d *dashboard) waitUpdate() (r fleet.Reading) {
	d.t.Helper()
	d.Decode(d.Next("truck_update").Args[0], &r)
	return r
}

// orders returns the news of orders of the past, the newest first.
func (d *dashboard) orders() (ids []string) {
	d.t.Helper()
	var page struct{ Orders []fleet.OrderNews }
	d.Decode(d.Ask("orders", map[string]any{})[0], &page)
	for _, o := range page.Orders {
		ids = append(ids, o.ID)
	}
	return ids
}

// waitOrder waits for the next notification, which is of an order.
func (d *dashboard) waitOrder() (n fleet.OrderNews) {
	d.t.Helper()
	d.Decode(d.Next("notification").Args[0], &n)
	return n
}

// heard are the ids of all notifications so far.
func (d *dashboard) heard() (ids []string) {
	for _, e := range d.Heard {
		if e.Name == "notification" {
			var a fleet.Alert
			d.Decode(e.Args[0], &a)
			ids = append(ids, a.ID)
		}
	}
	return ids
}

// began is a moment that is not in the future for as long as a test runs.
var began = time.Now().UTC().Truncate(time.Millisecond).Add(-time.Hour)

// reading is that of a truck with nothing wrong, some seconds after began.
func reading(truck string, second int) fleet.Reading {
	return fleet.Reading{
		Truck: truck, Latitude: 46.77, Longitude: 23.6, Temperature: 5, Vibration: 1, Time: began.Add(time.Duration(second) * time.Second),
	}
}

func shock(truck string, second int) fleet.Reading {
	r := reading(truck, second)
	r.Vibration = 6
	return r
}

func warm(truck string, second int) fleet.Reading {
	r := reading(truck, second)
	r.Temperature = 9.5
	return r
}

// id is that of the alert which the reading is.
func id(r fleet.Reading) string {
	kind := fleet.Warning
	if r.Vibration > 4 {
		kind = fleet.Critical
	}
	return fmt.Sprintf("%s:%s:%d", r.Truck, kind, r.Time.UnixMilli())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
