package plain_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/plain"
)

// The front on a transport that is only memory: what a client costs, and a message,
// without the kernel.

var clients = flag.Int("clients", 20_000, "clients of the memory tests")

// overWire are the kinds of clients.
var overWire = map[string]func(t testing.TB, w *fronttest.Wire, srv *plain.Server, room string) *fronttest.Conn{
	"websocket": func(t testing.TB, w *fronttest.Wire, srv *plain.Server, room string) *fronttest.Conn {
		ready := make(chan struct{})
		c := w.Accept(t, srv.WebSocket(), "/ws", ready)
		request := `{"id":1,"connect":{}}`
		if room != "" {
			request = `{"id":1,"connect":{"rooms":["` + room + `"]}}`
		}
		c.Receive(t, request)
		<-ready
		return c
	},
	"stream": func(t testing.TB, w *fronttest.Wire, srv *plain.Server, room string) *fronttest.Conn {
		ready := make(chan struct{})
		target := "/sse"
		if room != "" {
			target += "?room=" + room
		}
		c := w.Accept(t, srv.EventStream(), target, ready)
		<-ready
		return c
	},
}

// populate returns a hub with n clients of a kind, in a room or in none.
func populate(t testing.TB, n int, log *memory.Log, kind, room string) (*hub.Hub, *plain.Server, *fronttest.Wire) {
	h, err := hub.New(context.Background(), hub.Options{Bus: memory.New(memory.Options{Log: log})})
	must(t, err)
	w := &fronttest.Wire{Conns: make([]*fronttest.Conn, 0, n)}
	// The longest heartbeats: none is to be counted.
	srv, err := plain.New(h, plain.Options{Poller: w, Heartbeat: time.Hour})
	must(t, err)
	t.Cleanup(func() {
		w.End()
		must(t, srv.Close(context.Background()))
		must(t, h.Close(context.Background()))
	})
	for range n {
		overWire[kind](t, w, srv, room).Count()
	}
	return h, srv, w
}

// TestHeapPerClient: a client costs no more than one of Socket.IO (see socketio's
// TestHeapPerSession: 800 B), in a room and with a log, so that it can resume, a
// little more.
//
//	go test ./plain -run TestHeapPerClient -v -clients 1000000
func TestHeapPerClient(t *testing.T) {
	if fronttest.Race {
		t.Skip("the race detector's memory is not ours")
	}
	for _, c := range []struct {
		what  string
		log   *memory.Log
		room  string
		limit float64
	}{{"idle", nil, "", 800}, {"in a room, can resume", &memory.Log{}, "room", 1050}} {
		for kind := range overWire {
			t.Run(kind+"/"+c.what, func(t *testing.T) {
				before := fronttest.Heap()
				_, srv, w := populate(t, *clients, c.log, kind, c.room)
				used := float64(fronttest.Heap()-before) / float64(*clients)
				t.Logf("%d clients: %.0f B of heap each", *clients, used)
				if used > c.limit {
					t.Errorf("a client takes %.0f B of heap, want at most %.0f", used, c.limit)
				}
				runtime.KeepAlive(srv)
				runtime.KeepAlive(w)
			})
		}
	}
}

// BenchmarkBroadcast compares with the benchmarks of the same name of socketio and
// stomp.
func BenchmarkBroadcast(b *testing.B) {
	for kind := range overWire {
		for _, members := range []int{5, 1_000, 10_000} {
			b.Run(fmt.Sprintf("%s/members=%d", kind, members), func(b *testing.B) {
				h, _, w := populate(b, members, nil, kind, "room")
				sp := h.Space("/", hub.Hooks{})
				data, _ := json.Marshal([]string{"msg", strings.Repeat("x", 126)})
				b.ReportAllocs()
				for b.Loop() {
					must(b, sp.Publish(b.Context(), &belfry.Message{Target: belfry.Target{Rooms: []belfry.Room{"room"}}, Data: data}))
				}
				if w.Conns[members-1].Frames < b.N {
					b.Errorf("the last member got %d frames of %d", w.Conns[members-1].Frames, b.N)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*members), "ns/delivery")
			})
		}
	}
}

// TestBroadcastAllocations: it does not matter how many clients there are.
func TestBroadcastAllocations(t *testing.T) {
	if fronttest.Race {
		t.Skip("the race detector allocates")
	}
	allocations := func(kind string, members int) float64 {
		h, _, w := populate(t, members, nil, kind, "room")
		sp := h.Space("/", hub.Hooks{})
		n := testing.AllocsPerRun(50, func() {
			must(t, sp.Publish(context.Background(), &belfry.Message{Target: belfry.Target{Rooms: []belfry.Room{"room"}}, Data: []byte(`["x",1]`)}))
		})
		if w.Conns[members-1].Frames < 50 {
			t.Errorf("the last member got %d frames", w.Conns[members-1].Frames)
		}
		return n
	}
	for kind := range overWire {
		few, many := allocations(kind, 10), allocations(kind, 5_000)
		t.Logf("%s: 10 members: %.0f, 5,000 members: %.0f", kind, few, many)
		if many > few+16 { // the goroutines that share a large room
			t.Errorf("%s: a broadcast to 5,000 allocates %.0f times, to 10 %.0f", kind, many, few)
		}
	}
}

// FuzzClient: whatever a client writes, connected or not, the server stays, and says
// nothing that is not JSON.
func FuzzClient(f *testing.F) {
	for _, s := range []string{
		`{"id":1,"connect":{"token":"x","rooms":["a"],"offset":"x-1"}}`, `{"join":{"room":"a","offset":"","meta":{}}}`,
		`{"id":"2","join":{"rooms":["a","b"]}}`, `{"leave":{"room":"a"}}`, `{"presence":{"room":"a"}}`,
		`{"id":3,"publish":{"room":"a","event":"e","args":[1,{"$binary":"aGk="}],"id":"x","others":true}}`,
		`{"event":{"name":"e","args":[{"_placeholder":true,"num":0}],"id":"x"}}`, `{"ack":{"id":1,"args":[]}}`, `{"ping":{}}`,
		`{"refresh":{"token":""}}`, `{"id":[],"ping":{}}`, "[", `{"publish":{"room":"\u0000","event":"\ud800","args":"x"}}`,
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, connected bool) {
		h, err := hub.New(context.Background(), hub.Options{Bus: memory.New(memory.Options{Log: &memory.Log{}})})
		must(t, err)
		w := &fronttest.Wire{}
		srv, err := plain.New(h, plain.Options{
			Poller: w, Heartbeat: time.Hour, Presence: func(belfry.Room) bool { return true },
			App: func(_ context.Context, _ *plain.Conn, e *plain.Event) (*plain.Answer, error) {
				return &plain.Answer{Args: e.Args, Attachments: e.Attachments}, nil
			},
		})
		must(t, err)
		c := w.Accept(t, srv.WebSocket(), "/ws", nil)
		c.Check = func(frame []byte) {
			const text = 0x81
			if frame[0] == text && !json.Valid(frame[max(0, bytes.IndexByte(frame[2:], '{'))+2:]) {
				t.Errorf("sent %q", frame)
			}
		}
		if connected {
			c.Receive(t, `{"join":{"room":"a"}}`)
		}
		if len(s) < 1<<16 {
			c.Receive(t, s)
		}
		c.End()
		must(t, srv.Close(context.Background()))
		must(t, h.Close(context.Background()))
	})
}
