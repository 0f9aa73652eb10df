package forward

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/engineio"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// book is a directory of all nodes of a test.
type book struct {
	mu    sync.Mutex
	urls  map[belfry.NodeID]string
	fail  error
	asked int
}

func (b *book) Addresses(context.Context) (map[belfry.NodeID]string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	return maps.Clone(b.urls), b.fail
}

func (b *book) set(n belfry.NodeID, url string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.urls[n] = url
}

// page is a node's way to the book.
type page struct {
	*book
	node belfry.NodeID
}

func (p page) Announce(_ context.Context, url string) error {
	p.set(p.node, url)
	return nil
}

// node is an Engine.IO server that sends every message back.
type node struct {
	*engineio.Server
	id       belfry.NodeID
	forward  *Forwarder
	web      *httptest.Server
	sessions chan *session
}

type session struct {
	*engineio.Session
	closed chan engineio.Reason
	quiet  atomic.Bool // it keeps messages in place of sending them back
	got    chan string
}

func (s *session) Message(data []byte, binary bool) error {
	if s.quiet.Load() {
		s.got <- string(data)
		return nil
	}
	m := engineio.NewText(append(engineio.Buffer(len(data)), data...), nil)
	if binary {
		m = engineio.NewBinary(append(engineio.Buffer(len(data)), data...))
	}
	return s.Send(m, engineio.SendOptions{})
}

func (s *session) Closed(r engineio.Reason, _ error) { s.closed <- r }

// cluster starts n nodes; change may be nil.
func cluster(t testing.TB, n int, change func(*engineio.Options)) []*node {
	t.Helper()
	b := &book{urls: make(map[belfry.NodeID]string)}
	nodes := make([]*node, n)
	for i := range nodes {
		nodes[i] = newNode(t, b, fmt.Sprintf("node-%d", i), httptest.NewUnstartedServer, change)
		nodes[i].web.Start()
	}
	return nodes
}

// newNode makes a node whose web server is still to be started.
func newNode(t testing.TB, b *book, id string, listen func(http.Handler) *httptest.Server, change func(*engineio.Options)) *node {
	t.Helper()
	n := &node{id: belfry.NodeID(id), sessions: make(chan *session, 100)}
	log := slog.New(slog.DiscardHandler)
	o := engineio.Options{
		Tag: Tag(n.id), Logger: log,
		Elsewhere: func(w http.ResponseWriter, r *http.Request, sid string) bool { return n.forward.Serve(w, r, sid) },
	}
	if change != nil {
		change(&o)
	}
	var err error
	if n.Server, err = engineio.New(o, n.accept); err != nil {
		t.Fatal(err)
	}
	n.web = listen(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { n.ServeHTTP(w, n.forward.Receive(r)) }))
	n.forward, err = New(t.Context(), Options{
		Node: n.id, URL: "http://" + n.web.Listener.Addr().String() + "/engine.io/",
		Directory: page{b, n.id}, Poller: n.Poller(), Logger: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.stop(t) })
	return n
}

func (n *node) accept(s *engineio.Session) engineio.Receiver {
	sess := &session{Session: s, closed: make(chan engineio.Reason, 1), got: make(chan string, 1000)}
	n.sessions <- sess
	return sess
}

func (n *node) stop(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := n.Close(ctx); err != nil {
		t.Errorf("close engine: %v", err)
	}
	if err := n.forward.Close(ctx); err != nil {
		t.Errorf("close forwarder: %v", err)
	}
	n.web.Close()
}

// pages is the book of the cluster.
func (n *node) pages() *book { return n.forward.peers.directory.(page).book }

func receive[T any](t testing.TB, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s did not come", what)
		panic("unreachable")
	}
}

// eventually waits for a condition that nothing signals.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never: %s", what)
		}
	}
}
