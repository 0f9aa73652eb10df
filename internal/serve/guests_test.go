package serve

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/internal/route"
	local "github.com/seed-09a96375/belfry/queue/memory"
	"github.com/seed-09a96375/belfry/socketio"
)

// TestGuestsShareAQueue: two servers with guests in one process append to one queue,
// and what has no handler goes to the routes.
func TestGuestsShareAQueue(t *testing.T) {
	q, err := local.New(local.Options{Groups: []string{"g"}})
	if err != nil {
		t.Fatal(err)
	}
	bus := memory.New(memory.Options{})
	for range 2 {
		io, err := socketio.New(socketio.Options{Bus: bus})
		if err != nil {
			t.Fatal(err)
		}
		guests, err := Attach(t.Context(), io, Options{
			Open: true, Queues: []Queue{{Name: "q"}}, Plain: Plain{WebSocket: "/ws"},
			Routes: route.Options{
				Routes:  []route.Route{{Event: "e", Queue: "q"}},
				Sources: []route.Source{{Name: "none without a Redis", Channel: "C", Emit: route.Emit{Rooms: []string{"r"}}}},
			},
		}, map[string]*local.Queue{"q": q})
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		guests.Mount(mux)
		mux.Handle("/socket.io/", io)
		web := httptest.NewServer(mux)
		host := web.Listener.Addr().(*net.TCPAddr).String()
		p, _ := dial(t, host+"/socket.io/", "", nil)
		if got := p.ask("e", "x"); got != "[]" {
			t.Errorf("an event of a route is answered with %s", got)
		}
		if got := p.ask("unknown"); !strings.Contains(got, `"code":"no_route"`) {
			t.Errorf("an event without a route is answered with %s", got)
		}
		if status, body := call(t, host, http.MethodGet, "/api/nodes", "", ""); status != http.StatusOK || !strings.Contains(body, `"ready":true`) {
			t.Errorf("the API says %d %s", status, body)
		}
		t.Cleanup(func() {
			ctx := context.Background() // that of t has ended by now
			if err := errors.Join(guests.Close(ctx), io.Close(ctx)); err != nil {
				t.Error(err)
			}
			web.Close()
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got := 0
	err = q.Consume(ctx, "g", func(context.Context, *belfry.Delivery) (*belfry.Answer, error) {
		if got++; got == 2 {
			cancel()
		}
		return nil, nil
	}, belfry.ConsumeOptions{Concurrency: 1})
	if err != nil || got != 2 {
		t.Errorf("consumed %d, %v; want an event of each server", got, err)
	}
}

func TestAttachLeavesNothingOpen(t *testing.T) {
	io, err := socketio.New(socketio.Options{Bus: memory.New(memory.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	defer io.Close(t.Context())
	_, err = Attach(t.Context(), io, Options{Routes: route.Options{Routes: []route.Route{{Event: "e", Queue: "none"}}}}, nil)
	if err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("error is %v, want that there is no such queue", err)
	}
}
