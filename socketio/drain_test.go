package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/socketio"
)

func TestDrainMovesClientsOneAfterTheOther(t *testing.T) {
	const clients, over = 8, 400 * time.Millisecond
	nodes := cluster(t, 2, socketio.Options{Recovery: &socketio.Recovery{}})
	a, b := nodes[0], nodes[1]
	type account struct {
		*client
		id, pid string
	}
	var all []account
	for range clients {
		c := dial(t, a)
		id, pid := c.connectSession("/", "")
		all = append(all, account{c, string(id), pid})
	}
	ended := make(chan time.Time, clients)
	for _, c := range all {
		go func() {
			for {
				if _, err := c.next(); err != nil {
					ended <- time.Now()
					return
				}
			}
		}()
	}
	begun := time.Now()
	drained := make(chan error, 1)
	go func() { drained <- a.Drain(bg, over) }()
	for i := range clients {
		if early := begun.Add(time.Duration(i) * over / clients).Sub(<-ended); early > 0 {
			t.Errorf("client %d was moved %v too early", i, early)
		}
	}
	if err := <-drained; err != nil {
		t.Errorf("Drain: %v", err)
	}
	mustEmit(t, b.Emit(bg, "missed"))
	for _, was := range all {
		c := dial(t, b)
		c.send(fmt.Sprintf(`40{"pid":%q}`, was.pid))
		if id, _ := c.hello("40", c.read()); string(id) != was.id {
			t.Errorf("came back as %s, want %s", id, was.id)
		}
		if p := c.read(); eventName(p) != "missed" {
			t.Fatalf("got %q, want what was missed", p)
		}
	}
}

func TestDrainTurnsNewClientsAway(t *testing.T) {
	n := newNode(t, socketio.Options{})
	if ok, reasons := n.Health(); !ok {
		t.Fatalf("not healthy: %v", reasons)
	}
	c, id := connect(t, n)
	ctx, cancel := context.WithCancel(bg)
	cancel()
	if err := n.Drain(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("Drain: %v, want that of its context", err)
	}
	if ok, reasons := n.Health(); ok || !strings.HasPrefix(strings.Join(reasons, ","), "draining") {
		t.Errorf("health is %v %v", ok, reasons)
	}
	r, err := http.Get(n.url + "/socket.io/?EIO=4&transport=polling")
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
		t.Errorf("a new client gets %s, Retry-After %q", r.Status, r.Header.Get("Retry-After"))
	}
	c.quiet(n, id) // who is here still is
}

func TestDrainEndsWhenNobodyIsLeft(t *testing.T) {
	n := newNode(t, socketio.Options{})
	clients := []*client{}
	for range 3 {
		c, _ := connect(t, n)
		clients = append(clients, c)
	}
	drained := make(chan error, 1)
	go func() { drained <- n.Drain(bg, time.Hour) }()
	for _, c := range clients {
		_ = c.ws.CloseNow()
	}
	select {
	case err := <-drained:
		if err != nil {
			t.Errorf("Drain: %v", err)
		}
	case <-time.After(patience):
		t.Error("Drain waits for clients that have gone")
	}
}

func TestHealthAfterClose(t *testing.T) {
	srv, err := socketio.New(socketio.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Close(bg); err != nil {
		t.Fatal(err)
	}
	if ok, reasons := srv.Health(); ok || len(reasons) != 1 {
		t.Errorf("health is %v %v", ok, reasons)
	}
}
