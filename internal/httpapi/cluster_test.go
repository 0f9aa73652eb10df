package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/internal/httpapi"
)

const patience = 30 * time.Second

var (
	quiet = slog.New(slog.DiscardHandler)
	key   = strings.Repeat("k", 32)
)

// keys are an authenticator with the key that may do everything, and with others.
func keys(t testing.TB, more ...auth.APIKey) *auth.Authenticator {
	t.Helper()
	a, err := auth.New(auth.Options{APIKeys: append([]auth.APIKey{{Name: "tests", Key: key}}, more...), Logger: quiet})
	must(t, err)
	t.Cleanup(a.Close)
	return a
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newHub attaches a node to a bus.
func newHub(t testing.TB, bus belfry.Bus, id belfry.NodeID) *hub.Hub {
	t.Helper()
	h, err := hub.New(t.Context(), hub.Options{Bus: bus, Node: id, Logger: quiet})
	must(t, err)
	t.Cleanup(func() {
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	h.Space("/", hub.Hooks{})
	return h
}

// cluster is two nodes; the API is that of the first.
type cluster struct {
	t    testing.TB
	a, b *hub.Hub
	api  *httpapi.API
	key  string
	doc  *document // nil: answers are not compared with it
}

func newCluster(t testing.TB, o httpapi.Options) *cluster {
	return onBus(t, memory.New(memory.Options{Log: &memory.Log{}}), o)
}

func onBus(t testing.TB, bus belfry.Bus, o httpapi.Options) *cluster {
	t.Helper()
	c := &cluster{t: t, a: newHub(t, bus, "node-a"), b: newHub(t, bus, "node-b"), key: key}
	c.api = newAPI(t, c.a, o)
	c.doc = newDocument(t, c.api)
	return c
}

func newAPI(t testing.TB, h *hub.Hub, o httpapi.Options) *httpapi.API {
	t.Helper()
	if o.Auth == nil && !o.Open {
		o.Auth = keys(t)
	}
	o.Logger = quiet
	api, err := httpapi.New(h, o)
	must(t, err)
	return api
}

// answer is what a call gave.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   string
}

// do makes a call, and compares it and its answer with the OpenAPI document.
func (c *cluster) do(method, target, body string) *answer {
	c.t.Helper()
	return c.send(c.request(method, target, body))
}

func (c *cluster) request(method, target, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		r.Header.Set("Authorization", "Bearer "+c.key)
	}
	return r
}

func (c *cluster) send(r *http.Request) *answer {
	c.t.Helper()
	var sent []byte
	if r.Body != nil {
		sent, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(sent)))
	}
	w := httptest.NewRecorder()
	c.api.ServeHTTP(w, r)
	got := &answer{c.t, w.Code, w.Header(), w.Body.String()}
	if c.doc != nil {
		r.Body = io.NopCloser(strings.NewReader(string(sent)))
		c.doc.check(c.t, r, w.Result(), sent)
	}
	return got
}

// want compares status and body, the body as JSON.
func (a *answer) want(status int, body string) {
	a.t.Helper()
	if a.status != status || !sameJSON(a.body, body) {
		a.t.Errorf("got %d %s, want %d %s", a.status, a.body, status, body)
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	p, _ := json.Marshal(x)
	q, _ := json.Marshal(y)
	return string(p) == string(q)
}

// into decodes the body of a success.
func (a *answer) into(v any) {
	a.t.Helper()
	if a.status != http.StatusOK {
		a.t.Fatalf("status %d: %s", a.status, a.body)
	}
	must(a.t, json.Unmarshal([]byte(a.body), v))
}

// problem is what clients read of one.
type problem struct {
	Title, Code, Detail string
	Status              int
	Errors              []httpapi.Fault
	Missing, Failed     []string
	Results             []json.RawMessage
}

// wantProblem checks status and code, and that the text is found in the body.
func (a *answer) wantProblem(status int, code, text string) problem {
	a.t.Helper()
	var p problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.header.Get("Content-Type") != "application/problem+json" {
		a.t.Fatalf("no problem: %d %s", a.status, a.body)
	}
	if a.status != status || p.Status != status || p.Code != code || !strings.Contains(p.Detail, text) || p.Title != http.StatusText(status) {
		a.t.Errorf("got %d %s, want %d %s %q", a.status, a.body, status, code, text)
	}
	return p
}

// guest is a member that notes what it gets.
type guest struct {
	t     testing.TB
	id    belfry.SocketID
	user  string
	space *hub.Space
	slot  hub.Slot

	mu      sync.Mutex
	got     []*belfry.Message
	ended   int  // disconnects
	whole   bool // the last was that of the whole connection
	changed chan struct{}
}

// enter puts a guest into a hub and into rooms.
func enter(t testing.TB, h *hub.Hub, id belfry.SocketID, user string, rooms ...belfry.Room) *guest {
	t.Helper()
	g := &guest{t: t, id: id, user: user, space: h.Space("/", hub.Hooks{}), changed: make(chan struct{}, 1)}
	slot, err := g.space.Add(t.Context(), g)
	must(t, err)
	g.slot = slot
	if user != "" {
		rooms = append(rooms, hub.UserRoom(user))
	}
	must(t, g.Join(rooms...))
	return g
}

func (g *guest) MemberID() belfry.SocketID { return g.id }

func (g *guest) Deliver(d *hub.Delivery) {
	g.note(func() { g.got = append(g.got, d.Message) })
}

func (g *guest) note(f func()) {
	g.mu.Lock()
	f()
	g.mu.Unlock()
	select {
	case g.changed <- struct{}{}:
	default:
	}
}

func (g *guest) DeliverAck(*hub.Delivery, func(hub.Answer)) func() { return func() {} }

func (g *guest) Join(rooms ...belfry.Room) error {
	var errs []error
	for _, room := range rooms {
		_, _, err := g.space.Join(context.Background(), g.slot, room)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (g *guest) Leave(rooms ...belfry.Room) {
	for _, room := range rooms {
		g.space.Leave(g.slot, room)
	}
}

func (g *guest) Disconnect(whole bool) { g.note(func() { g.ended, g.whole = g.ended+1, whole }) }

func (g *guest) Describe() []byte {
	b, _ := json.Marshal(map[string]any{
		"id": g.id, "user": g.user, "rooms": append(g.space.RoomsOf(g.slot), belfry.Room(g.id)), "data": map[string]int{"n": 1},
		"handshake": map[string]any{"address": "192.0.2.1", "issued": 1_700_000_000_000, "headers": map[string]string{"cookie": "secret"}},
	})
	return b
}

// await waits until f is true of the guest.
func (g *guest) await(what string, f func() bool) {
	g.t.Helper()
	late := time.After(patience)
	for {
		g.mu.Lock()
		done := f()
		g.mu.Unlock()
		if done {
			return
		}
		select {
		case <-g.changed:
		case <-late:
			g.t.Fatalf("%s: %s in vain", g.id, what)
		}
	}
}

// data is what the guest got.
func (g *guest) data() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := []string{}
	for _, m := range g.got {
		all = append(all, string(m.Data))
	}
	return all
}

func (g *guest) want(data ...string) {
	g.t.Helper()
	g.await("wait for messages", func() bool { return len(g.got) >= len(data) })
	if got := g.data(); !slices.Equal(got, data) {
		g.t.Errorf("%s got %q, want %q", g.id, got, data)
	}
}
