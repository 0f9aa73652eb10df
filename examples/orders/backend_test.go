package orders

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/client"
	"github.com/seed-09a96375/belfry/queue/memory"
)

const patience = 30 * time.Second

// place has the queues and the API of backends under test.
type place struct {
	t                 *testing.T
	events, greetings *memory.Queue
	client            *client.Client

	mu        sync.Mutex
	seen      map[string]bool // ids: the API publishes each once
	published map[string][]string
	forgetful bool // the API publishes every repetition
	failures  int  // publications that the API does and answers with an error
	changed   chan struct{}
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{t: t, seen: make(map[string]bool), published: make(map[string][]string), changed: make(chan struct{}, 1)}
	p.events, p.greetings = newQueue(t), newQueue(t)
	web := httptest.NewServer(p)
	t.Cleanup(web.Close)
	var err error
	p.client, err = client.New(t.Context(), client.Options{
		API: web.URL, PublishFor: time.Millisecond, Logger: slog.New(slog.DiscardHandler),
		Queues: map[string]client.Queue{Events: p.events, Greetings: p.greetings},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.client.Close)
	return p
}

func newQueue(t *testing.T) *memory.Queue {
	t.Helper()
	q, err := memory.New(memory.Options{Groups: []string{Group}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// ServeHTTP is POST /api/publish.
func (p *place) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m client.Message
	_ = json.NewDecoder(r.Body).Decode(&m)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.seen[m.ID] || p.forgetful {
		p.seen[m.ID] = true
		p.published[m.Rooms[0]] = append(p.published[m.Rooms[0]], m.Args[0].(string))
	}
	if m.Rooms[0] == RoomHandled && p.failures > 0 {
		p.failures--
		http.Error(w, "away", http.StatusServiceUnavailable) // it was published all the same
	}
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// await waits until so much was published in a room.
func (p *place) await(room string, right func([]string) bool) []string {
	p.t.Helper()
	for late := time.After(patience); ; {
		p.mu.Lock()
		got := append([]string(nil), p.published[room]...)
		p.mu.Unlock()
		if right(got) {
			return got
		}
		select {
		case <-p.changed:
		case <-late:
			p.t.Fatalf("room %s has had %d messages: %.500q", room, len(got), got)
		}
	}
}

// run runs backends until the test, or stop, ends them.
func (p *place) run(names ...string) (stop func()) {
	ctx, cancel := context.WithCancel(p.t.Context())
	var all sync.WaitGroup
	for _, name := range names {
		b := &Backend{Name: name, Client: p.client, Concurrency: 2, Logger: slog.New(slog.DiscardHandler)}
		all.Go(func() {
			if err := b.Run(ctx); err != nil {
				p.t.Error(err)
			}
		})
	}
	stop = func() { cancel(); all.Wait() }
	p.t.Cleanup(stop)
	return stop
}

func (p *place) send(q *memory.Queue, id, name, args string) {
	p.t.Helper()
	if err := q.Append(p.t.Context(), &belfry.Event{ID: id, Name: name, Args: json.RawMessage(args), Time: time.Now(), Reply: true}); err != nil {
		p.t.Fatal(err)
	}
}

// ledger counts what was told of events, by their ids. Each has to be there once.
func ledger(told []string, want int) error {
	count := make(map[string]int)
	var errs []error
	for _, text := range told {
		var h Handled
		if err := json.Unmarshal([]byte(text), &h); err != nil {
			return err
		}
		if count[h.ID]++; count[h.ID] == 2 {
			errs = append(errs, fmt.Errorf("event %s was shown twice", h.ID))
		}
	}
	if len(count) != want {
		errs = append(errs, fmt.Errorf("%d events were shown, want %d", len(count), want))
	}
	return errors.Join(errs...)
}

// TestEachEventIsShownOnce: also where publishing failed after it was done, so that
// the event came again.
func TestEachEventIsShownOnce(t *testing.T) {
	p := newPlace(t)
	p.failures = 5
	p.run("backend-A", "backend-B")
	const events = 100
	for i := range events {
		p.send(p.events, fmt.Sprint("e", i), "test", `["ding"]`)
	}
	distinct := func(told []string) bool { return ledgerSize(told) == events && p.failed() }
	if err := ledger(p.await(RoomHandled, distinct), events); err != nil {
		t.Error(err)
	}
}

// TestLedgerNotices is the control: an API that forgets ids shows events twice.
func TestLedgerNotices(t *testing.T) {
	p := newPlace(t)
	p.failures, p.forgetful = 1, true
	p.run("backend-A")
	p.send(p.events, "e", "test", `["ding"]`)
	told := p.await(RoomHandled, func(told []string) bool { return len(told) > 1 })
	if err := ledger(told, 1); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("the ledger says %v of %q", err, told)
	}
}

func ledgerSize(told []string) int {
	ids := make(map[string]bool)
	for _, text := range told {
		var h Handled
		_ = json.Unmarshal([]byte(text), &h)
		ids[h.ID] = true
	}
	return len(ids)
}

// failed reports whether the API has had all its failures.
func (p *place) failed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failures == 0
}

func TestOrdersAreAnswered(t *testing.T) {
	p := newPlace(t)
	p.run("backend-A")
	for i, c := range []struct{ args, answer, fault string }{
		{args: `[{"item":"bell","quantity":2}]`, answer: `[{"order":"o0","backend":"backend-A","total":240}]`},
		{args: `[{"item":"rope","quantity":100}]`, answer: `[{"order":"o1","backend":"backend-A","total":2000}]`},
		{args: `[{"item":"cannon","quantity":1}]`, fault: `there is no "cannon"`},
		{args: `[{"item":"bell","quantity":0}]`, fault: "quantity is 0"},
		{args: `[{"item":"bell","quantity":101}]`, fault: "quantity is 101"},
		{args: `["bell"]`, fault: "first argument"},
		{args: `[]`, fault: "no argument"},
	} {
		id := fmt.Sprint("o", i)
		p.send(p.events, id, "order", c.args)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		got, err := p.events.Await(ctx, id)
		cancel()
		if err != nil || string(got.Args) != c.answer || !strings.Contains(got.Error, c.fault) || (got.Error == "") != (c.fault == "") {
			t.Errorf("%s is answered with %+v, %v", c.args, got, err)
		}
	}
}

func TestGreetings(t *testing.T) {
	p := newPlace(t)
	p.run("backend-A")
	p.send(p.greetings, "g", "greet", `["Ada"]`)
	got := p.await(RoomGreetings, func(all []string) bool { return len(all) > 0 })
	if got[0] != "Hello, Ada! This is backend-A." {
		t.Errorf("the greeting is %q", got[0])
	}
}

// TestPoisonIsPutAside: what cannot be handled holds up nothing.
func TestPoisonIsPutAside(t *testing.T) {
	p := newPlace(t)
	p.run("backend-A")
	p.send(p.events, "a", "unknown", `[]`)
	p.send(p.events, "b", "test", `[{"no":"text"}]`)
	p.send(p.events, "c", "test", `["ding"]`)
	p.await(RoomHandled, func(told []string) bool { return len(told) == 1 })
	for late := time.After(patience); len(p.events.Dead()) < 2; {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-late:
			t.Fatalf("dead letters are %+v, want two", p.events.Dead())
		}
	}
}

func TestSignsOfLife(t *testing.T) {
	p := newPlace(t)
	stop := p.run("backend-A")
	got := p.await(RoomAlive, func(all []string) bool { return len(all) > 0 })
	if got[0] != `{"backend":"backend-A","handled":0}` {
		t.Errorf("the sign of life is %s", got[0])
	}
	stop()
}
