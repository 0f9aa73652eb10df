package stomp_test

import (
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
	"github.com/seed-09a96375/belfry/stomp"
)

// The front on a transport that is only memory: what a client costs, and a
// message, without the kernel.

var clients = flag.Int("clients", 20_000, "clients of the memory tests")

// open connects a client. subscription is its SUBSCRIBE frame, if any.
func open(t testing.TB, w *fronttest.Wire, srv *stomp.Server, ready chan struct{}, subscription string) {
	c := w.Accept(t, srv, "/stomp", ready)
	c.Receive(t, "CONNECT\naccept-version:1.2\nhost:test\nheart-beat:10000,10000\n\n\x00")
	<-ready
	if subscription != "" {
		c.Receive(t, subscription)
		<-ready
	}
	c.Count()
}

// populate returns a hub with n clients. name gives the id of a client's
// subscription to /topic/room, empty for none.
func populate(t testing.TB, n int, name func(i int) string) (*hub.Hub, *stomp.Server, *fronttest.Wire) {
	h, err := hub.New(context.Background(), hub.Options{Bus: memory.New(memory.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	w := &fronttest.Wire{Conns: make([]*fronttest.Conn, 0, n)}
	// The longest heart-beats: none is to be counted.
	srv, err := stomp.New(h, stomp.Options{Poller: w, Heartbeat: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.End()
		must(t, srv.Close(context.Background()))
		must(t, h.Close(context.Background()))
	})
	ready := make(chan struct{}, 1)
	for i := range n {
		subscription := ""
		if id := name(i); id != "" {
			subscription = "SUBSCRIBE\nid:" + id + "\ndestination:/topic/room\nreceipt:1\n\n\x00"
		}
		open(t, w, srv, ready, subscription)
	}
	return h, srv, w
}

func nobody(int) string { return "" }
func alike(int) string  { return "sub-0" }

// TestHeapPerClient: a client that is connected costs no more than one of
// Socket.IO (see socketio's TestHeapPerSession: 800 B), with a subscription a
// little more.
//
//	go test ./stomp -run TestHeapPerClient -v -clients 1000000
func TestHeapPerClient(t *testing.T) {
	if fronttest.Race {
		t.Skip("the race detector's memory is not ours")
	}
	for _, c := range []struct {
		what  string
		name  func(int) string
		limit float64
	}{{"idle", nobody, 800}, {"one subscription", alike, 1050}} {
		t.Run(c.what, func(t *testing.T) {
			before := fronttest.Heap()
			_, srv, w := populate(t, *clients, c.name)
			used := float64(fronttest.Heap()-before) / float64(*clients)
			t.Logf("%d clients: %.0f B of heap each, %d goroutines", *clients, used, runtime.NumGoroutine())
			if used > c.limit {
				t.Errorf("a client takes %.0f B of heap, want at most %.0f", used, c.limit)
			}
			runtime.KeepAlive(srv)
			runtime.KeepAlive(w)
		})
	}
}

// BenchmarkBroadcast compares with socketio's benchmark of the same name. "own ids"
// is the worst case: each client has an id of its own for the subscription, so that
// each gets a frame of its own.
func BenchmarkBroadcast(b *testing.B) {
	for what, name := range map[string]func(int) string{
		"same ids": alike,
		"own ids":  func(i int) string { return fmt.Sprint("sub-", i) },
	} {
		for _, members := range []int{5, 1_000, 10_000} {
			b.Run(fmt.Sprintf("%s/members=%d", what, members), func(b *testing.B) {
				h, _, w := populate(b, members, name)
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

// TestBroadcastAllocations: of clients with the same ids it does not matter how
// many there are.
func TestBroadcastAllocations(t *testing.T) {
	if fronttest.Race {
		t.Skip("the race detector allocates")
	}
	allocations := func(members int) float64 {
		h, _, w := populate(t, members, alike)
		sp := h.Space("/", hub.Hooks{})
		n := testing.AllocsPerRun(50, func() {
			must(t, sp.Publish(context.Background(), &belfry.Message{Target: belfry.Target{Rooms: []belfry.Room{"room"}}, Data: []byte(`["x",1]`)}))
		})
		if w.Conns[members-1].Frames < 50 {
			t.Errorf("the last member got %d frames", w.Conns[members-1].Frames)
		}
		return n
	}
	few, many := allocations(10), allocations(5_000)
	t.Logf("10 members: %.0f, 5,000 members: %.0f", few, many)
	if many > few+16 { // the goroutines that share a large room
		t.Errorf("a broadcast to 5,000 allocates %.0f times, to 10 %.0f", many, few)
	}
}

// FuzzClient: whatever a client writes, before and after CONNECT and in pieces,
// the server stays.
func FuzzClient(f *testing.F) {
	for _, s := range []string{
		"CONNECT\naccept-version:1.1\nheart-beat:1,2\n\n\x00",
		"SUBSCRIBE\nid:1\ndestination:/topic/a\nack:client\n\n\x00SEND\ndestination:/topic/a\n\nx\x00ACK\nid:1\n\n\x00",
		"BEGIN\ntransaction:t\n\n\x00SEND\ntransaction:t\ndestination:/user/queue/a\ncontent-type:application/json\nargs:1\n\n[1]\x00COMMIT\ntransaction:t\n\n\x00",
		"\r", "\r\n\nSEND\n\n\x00", "UNSUBSCRIBE\nid:1\n\n\x00DISCONNECT\nreceipt:1\n\n\x00",
	} {
		f.Add(s, byte(3), true)
		f.Add(s, byte(200), false)
	}
	f.Fuzz(func(t *testing.T, s string, step byte, connected bool) {
		h, err := hub.New(context.Background(), hub.Options{Bus: memory.New(memory.Options{})})
		must(t, err)
		w := &fronttest.Wire{}
		srv, err := stomp.New(h, stomp.Options{Poller: w, Heartbeat: time.Hour})
		must(t, err)
		c := w.Accept(t, srv, "/stomp", nil)
		if connected {
			s = "CONNECT\naccept-version:1.2\n\n\x00" + s
		}
		k := int(step)%100 + 1
		for rest := s; rest != ""; rest = rest[min(k, len(rest)):] {
			frame := []byte{0x82, 0x80 | byte(min(k, len(rest))), 0, 0, 0, 0}
			if c.Write(append(frame, rest[:min(k, len(rest))]...)) != nil {
				break
			}
		}
		c.End()
		must(t, srv.Close(context.Background()))
		must(t, h.Close(context.Background()))
	})
}
