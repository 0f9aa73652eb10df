package socketio_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/socketio"
)

// The whole server on a transport that is only memory: what a session costs, and
// a broadcast, without the kernel.

var sessions = flag.Int("sessions", 20_000, "sessions of the memory tests")

// wire is a poll.Poller whose connections write to nobody.
type wire struct{ conns []*wireConn }

func (w *wire) Add(c net.Conn, _ []byte, bind func(poll.Conn) poll.Handler) error {
	wc := c.(*hijacked).conn
	wc.handler = bind(wc)
	w.conns = append(w.conns, wc)
	return nil
}

// wireConn is both what is hijacked and what the poller makes of it.
type wireConn struct {
	handler poll.Handler
	frames  int
}

func (c *wireConn) Send(poll.Frame) error { c.frames++; return nil }
func (c *wireConn) Buffered() int         { return 0 }
func (c *wireConn) PauseRead()            {}
func (c *wireConn) ResumeRead()           {}
func (c *wireConn) Finish()               {}
func (c *wireConn) Close(error)           {}
func (c *wireConn) RemoteAddr() net.Addr  { return nil }

// hijacked is the net.Conn that net/http would hand over.
type hijacked struct {
	net.Conn // nil: what the handshake needs is here
	conn     *wireConn
}

func (h *hijacked) Write(p []byte) (int, error)      { return len(p), nil }
func (h *hijacked) SetDeadline(time.Time) error      { return nil }
func (h *hijacked) SetReadDeadline(time.Time) error  { return nil }
func (h *hijacked) SetWriteDeadline(time.Time) error { return nil }
func (h *hijacked) Close() error                     { return nil }

// open opens a WebSocket session on srv.
func (w *wire) open(t testing.TB, srv *socketio.Server) *wireConn {
	r := httptest.NewRequest(http.MethodGet, "/socket.io/?EIO=4&transport=websocket", nil)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Sec-WebSocket-Version", "13")
	r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	h := &hijacker{ResponseWriter: httptest.NewRecorder()}
	srv.ServeHTTP(h, r)
	if len(w.conns) == 0 {
		t.Fatal("no connection was taken over")
	}
	return w.conns[len(w.conns)-1]
}

// receive hands a text message over as the client would send it.
func (c *wireConn) receive(t testing.TB, text string) {
	frame := []byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}
	if len(text) > 125 {
		frame = append(binary.BigEndian.AppendUint16([]byte{0x81, 0xfe}, uint16(len(text))), 0, 0, 0, 0)
	}
	if err := c.handler.Data(append(frame, text...)); err != nil {
		t.Fatal(err)
	}
}

type hijacker struct{ http.ResponseWriter }

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c := &hijacked{conn: &wireConn{}}
	return c, bufio.NewReadWriter(bufio.NewReader(bytes.NewReader(nil)), bufio.NewWriter(io.Discard)), nil
}

// populate returns a server with n sessions, each with a socket in its
// namespace.
func populate(t testing.TB, n int, connected func(i int, s *socketio.Socket)) (*socketio.Server, *wire) {
	w := &wire{conns: make([]*wireConn, 0, n)}
	srv, err := socketio.New(socketio.Options{EngineIO: engineio.Options{Poller: w, MaxSessions: -1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, c := range w.conns {
			c.handler.Closed(io.EOF)
		}
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
		w.open(t, srv).receive(t, "40")
		<-ready
	}
	return srv, w
}

// A session with a socket in memory: 0.8 KB at most. For the figure of a million:
//
//	go test ./socketio -run TestHeapPerSession -v -sessions 1000000
func TestHeapPerSession(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's memory is not ours")
	}
	const limit = 800
	before := heap()
	srv, w := populate(t, *sessions, nil)
	used := float64(heap()-before) / float64(*sessions)
	t.Logf("%d sessions: %.0f B of heap each, %d goroutines", *sessions, used, runtime.NumGoroutine())
	if used > limit {
		t.Errorf("a session takes %.0f B of heap, want at most %d", used, limit)
	}
	runtime.KeepAlive(srv)
	runtime.KeepAlive(w)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// The allocations of a broadcast do not depend on how many it reaches.
func TestBroadcastAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	allocations := func(members int) float64 {
		srv, w := populate(t, members, func(_ int, s *socketio.Socket) { _ = s.Join("room") })
		payload := map[string]string{"text": "hello"}
		n := testing.AllocsPerRun(50, func() { mustEmit(t, srv.To("room").Emit(bg, "chat", payload)) })
		if w.conns[members-1].frames < 50 {
			t.Errorf("the last member got %d frames", w.conns[members-1].frames)
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
		w.conns[0].receive(b, `421["echo","0123456789012345678901234567890123456789"]`)
		<-done
	}
}

func BenchmarkConnect(b *testing.B) {
	b.ReportAllocs()
	populate(b, b.N, nil)
}
