package socketio_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/internal/fronttest"
	"github.com/seed-09a96375/belfry/socketio"
)

// The whole server on a transport that is only memory: what a session costs, and
// a broadcast, without the kernel.

var sessions = flag.Int("sessions", 20_000, "sessions of the memory tests")

// populate returns a server with n sessions, each with a socket in its
// namespace.
func populate(t testing.TB, n int, connected func(i int, s *socketio.Socket)) (*socketio.Server, *fronttest.Wire) {
	w := &fronttest.Wire{Conns: make([]*fronttest.Conn, 0, n)}
	srv, err := socketio.New(socketio.Options{EngineIO: engineio.Options{Poller: w, MaxSessions: -1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.End()
		if err := srv.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	ready := make(chan struct{})
	i := 0
	srv.OnConnect(func(_ context.Context, s *socketio.Socket) {
		if connected != nil {
			connected(i, s)
		}
		i++
		ready <- struct{}{}
	})
	for range n {
		w.Accept(t, srv, "/socket.io/?EIO=4&transport=websocket", nil).Receive(t, "40")
		<-ready
	}
	return srv, w
}

// A session with a socket in memory: 0.8 KB at most. For the figure of a million:
//
//	go test ./socketio -run TestHeapPerSession -v -sessions 1000000
func TestHeapPerSession(t *testing.T) {
	if fronttest.Race {
		t.Skip("the race detector's memory is not ours")
	}
	const limit = 800
	before := fronttest.Heap()
	srv, w := populate(t, *sessions, nil)
	used := float64(fronttest.Heap()-before) / float64(*sessions)
	t.Logf("%d sessions: %.0f B of heap each, %d goroutines", *sessions, used, runtime.NumGoroutine())
	if used > limit {
		t.Errorf("a session takes %.0f B of heap, want at most %d", used, limit)
	}
	runtime.KeepAlive(srv)
	runtime.KeepAlive(w)
}

// The allocations of a broadcast do not depend on how many it reaches.
func TestBroadcastAllocations(t *testing.T) {
	if fronttest.Race {
		t.Skip("the race detector allocates")
	}
	allocations := func(members int) float64 {
		srv, w := populate(t, members, func(_ int, s *socketio.Socket) { _ = s.Join("room") })
		payload := map[string]string{"text": "hello"}
		n := testing.AllocsPerRun(50, func() { mustEmit(t, srv.To("room").Emit(bg, "chat", payload)) })
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

func BenchmarkBroadcast(b *testing.B) {
	for _, members := range []int{5, 1_000, 10_000} {
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			srv, _ := populate(b, members, func(_ int, s *socketio.Socket) { _ = s.Join("room") })
			payload := json.RawMessage(`"` + strings.Repeat("x", 126) + `"`)
			b.ReportAllocs()
			for b.Loop() {
				mustEmit(b, srv.To("room").Emit(bg, "msg", payload))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*members), "ns/delivery")
		})
	}
}

func BenchmarkEcho(b *testing.B) {
	srv, w := populate(b, 1, nil)
	done := make(chan struct{})
	socketio.OnAck(srv, "echo", func(_ context.Context, _ *socketio.Socket, p json.RawMessage) (json.RawMessage, error) {
		done <- struct{}{}
		return p, nil
	})
	b.ReportAllocs()
	for b.Loop() {
		w.Conns[0].Receive(b, `421["echo","0123456789012345678901234567890123456789"]`)
		<-done
	}
}

func BenchmarkConnect(b *testing.B) {
	b.ReportAllocs()
	populate(b, b.N, nil)
}
