package chat_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/archive/sqlite"
	bus "github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/examples/chat"
	"github.com/seed-09a96375/belfry/queue/memory"
	"github.com/seed-09a96375/belfry/socketio"
)

// chain is what messages go through, on their way to a row.
type chain struct {
	bus    belfry.Bus
	queues []belfry.Queue // one for each node
	source belfry.Source
	store  archive.Store
	delay  time.Duration // of pages of the past
	noLog  bool          // broken: pages of the past end where the archive ends
}

// embedded is the chain in one process.
func embedded(t *testing.T, nodes int) *chain {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Options{File: filepath.Join(t.TempDir(), "messages.db"), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	queue, err := memory.New(memory.Options{Groups: []string{"archive"}, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	c := &chain{bus: bus.New(bus.Options{Log: &bus.Log{}}), source: chat.Source(queue), store: store, delay: 100 * time.Millisecond}
	for range nodes {
		c.queues = append(c.queues, queue)
	}
	return c
}

var quiet = slog.New(slog.DiscardHandler)

// start serves the chat on a node for each queue, and archives. It returns the
// addresses of the nodes.
func (c *chain) start(t *testing.T) []string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	var first *chat.Chat
	urls := make([]string, len(c.queues))
	for i, queue := range c.queues {
		srv, err := socketio.New(socketio.Options{
			Bus: c.bus, Node: belfry.NodeID(fmt.Sprint("node-", i+1)), Recovery: &socketio.Recovery{}, Logger: quiet,
		})
		if err != nil {
			t.Fatal(err)
		}
		log, err := srv.Hub().Recovery()
		if err != nil {
			t.Fatal(err)
		}
		reader, err := archive.NewReader(archive.ReaderOptions{Store: c.store, Log: log, Delay: c.delay, Interval: c.delay / 4})
		if err != nil {
			t.Fatal(err)
		}
		tasks.Go(func() { reader.Run(ctx) })
		node := chat.New(srv, chat.Options{Queue: queue, Archive: reader, Logger: quiet})
		if c.noLog {
			chat.ForgetLog(node)
		}
		if first == nil {
			first = node
		}
		web := httptest.NewServer(srv)
		urls[i] = web.URL
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			_ = srv.Close(ctx)
			node.Close()
			web.Close()
		})
	}
	archiver, err := first.Archive(c.source, c.store)
	if err != nil {
		t.Fatal(err)
	}
	tasks.Go(func() { _ = archiver.Run(ctx) })
	t.Cleanup(func() { stop(); tasks.Wait() }) // before the nodes
	return urls
}

// newID is an id as pages make it. Those of one ms are in order.
func newID() string {
	now := time.Now()
	return fmt.Sprintf("%d-%06d%s", now.UnixMilli(), now.UnixNano()%1_000_000, rand.Text())
}

type saying struct {
	Text string `json:"text"`
	ID   string `json:"id"`
}

// talk has many clients on all nodes speak at once. Every third message is sent twice,
// the second time by way of another node. It returns the ids that were accepted, and
// waits until all are told to be stored, and one more that came after them.
func talk(t *testing.T, urls []string, clients, rounds int) map[string]bool {
	t.Helper()
	witness := join(t, urls[0], "witness")
	all := make([]*client, clients)
	for i := range all {
		all[i] = join(t, urls[i%len(urls)], fmt.Sprint("client ", i))
	}
	accepted := make(map[string]bool)
	for round := range rounds {
		sent := make([]saying, clients)
		for i, c := range all {
			sent[i] = saying{fmt.Sprintf("%d of client %d", round, i), newID()}
			c.Send("event:message", sent[i])
		}
		for i, c := range all {
			if fault := c.Refusal(c.Answer()); fault != "" {
				t.Fatalf("client %d: %s", i, fault)
			}
			accepted[sent[i].ID] = true
		}
		for i := 0; i < clients; i += 3 {
			all[(i+1)%clients].ask("event:message", sent[i])
		}
	}
	waiting := make(map[string]bool)
	last := newID()
	witness.ask("event:message", saying{"the last", last})
	accepted[last] = true
	for id := range accepted {
		waiting[id] = true
	}
	for len(waiting) > 0 {
		var told struct{ IDs []string }
		witness.Decode(witness.Next("stored").Args[0], &told)
		for _, id := range told.IDs {
			delete(waiting, id)
		}
	}
	return accepted
}

// rowsOf returns all rows of the lobby.
func rowsOf(t *testing.T, store archive.Store) (all []archive.Entry) {
	t.Helper()
	q := archive.Query{Namespace: "/", Room: "chat:lobby", Limit: archive.MaxLimit}
	for {
		page, err := store.Page(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		q.Before = page[len(page)-1].Position()
	}
}

// checkRows says what is wrong, if not each message that was accepted is one row.
func checkRows(rows []archive.Entry, accepted map[string]bool) error {
	var faults []error
	seen := make(map[string]int)
	for _, r := range rows {
		var args []chat.Message
		if err := json.Unmarshal(r.Args, &args); err != nil || len(args) != 1 {
			return fmt.Errorf("row %s has args %s", r.ID, r.Args)
		}
		if m := args[0]; r.Text != m.Text || r.User != m.From.Name || r.Time.UnixMilli() != m.Time || r.Text == "" || r.User == "" {
			faults = append(faults, fmt.Errorf("row %s is %q of %q at %v, want %+v", r.ID, r.Text, r.User, r.Time, m))
		}
		seen[args[0].ID]++
		if !accepted[args[0].ID] {
			faults = append(faults, fmt.Errorf("row %s was never accepted", r.ID))
		}
	}
	for id := range accepted {
		if n := seen[id]; n != 1 {
			faults = append(faults, fmt.Errorf("message %s is %d rows", id, n))
		}
	}
	return errors.Join(faults...)
}

func TestEachMessageIsOneRow(t *testing.T) {
	c := embedded(t, 3)
	accepted := talk(t, c.start(t), 30, 10)
	if err := checkRows(rowsOf(t, c.store), accepted); err != nil {
		t.Error(err)
	}
}

// naive puts a message into a queue under a name of its own each time, as a node does
// that knows of no ids.
type naive struct{ belfry.Queue }

func (q naive) Append(ctx context.Context, e *belfry.Event) error {
	own := *e
	own.ID += rand.Text()
	return q.Queue.Append(ctx, &own)
}

// TestDoubledRowsAreFound is the negative control: the checker has to fail.
func TestDoubledRowsAreFound(t *testing.T) {
	c := embedded(t, 3)
	naiveQueue := naive{c.queues[0]}
	c.queues = []belfry.Queue{naiveQueue, naiveQueue, naiveQueue}
	urls := c.start(t)
	witness := join(t, urls[0], "witness")
	said := saying{"once", newID()}
	witness.ask("event:message", said)
	witness.ask("event:message", said)
	for range 2 {
		witness.Next("stored")
		if len(rowsOf(t, c.store)) == 2 {
			break
		}
	}
	if err := checkRows(rowsOf(t, c.store), map[string]bool{said.ID: true}); err == nil {
		t.Error("a message is two rows, and the checker finds nothing")
	}
}

func TestListenersHearTexts(t *testing.T) {
	urls := embedded(t, 2).start(t)
	guest, ada := connect(t, urls[0]), join(t, urls[1], "Ada")
	guest.ask("event:message", "from a guest")
	if got := ada.nextMessage(); got.Text != "from a guest" || got.From.Name != "guest" || got.Room != "lobby" {
		t.Errorf("Ada hears %+v", got)
	}
	ada.ask("event:message", "from Ada")
	for _, want := range []string{"from a guest", "from Ada"} {
		var text string
		guest.Decode(guest.Next("event:listen").Args[0], &text)
		if text != want {
			t.Errorf("the guest hears %q, want %q", text, want)
		}
	}
	if ada.heard("event:listen") {
		t.Error("who has joined hears texts, too")
	}
}

func TestRoomsAreApart(t *testing.T) {
	urls := embedded(t, 2).start(t)
	ada, grace := join(t, urls[0], "Ada"), join(t, urls[1], "Grace")
	ada.ask("join", map[string]string{"name": "Ada", "room": "Other"})
	grace.waitNames("Grace")
	ada.ask("event:message", "in the other room")
	grace.ask("event:message", "in the lobby")
	if got := ada.nextMessage(); got.Text != "in the other room" || got.Room != "other" {
		t.Errorf("Ada hears %+v", got)
	}
	if got := grace.nextMessage(); got.Text != "in the lobby" {
		t.Errorf("Grace hears %+v", got)
	}
}
