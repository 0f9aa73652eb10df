package stomp_test

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

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/stomp"
)

// The front on a transport that is only memory: what a client costs, and a
// message, without the kernel.

var clients = flag.Int("clients", 20_000, "clients of the memory tests")

// wire is a poll.Poller whose connections write to nobody.
type wire struct{ conns []*wireConn }

func (w *wire) Add(c net.Conn, _ []byte, bind func(poll.Conn) poll.Handler) error {
	wc := c.(*hijacked).conn
	wc.handler = bind(wc)
	w.conns = append(w.conns, wc)
	return nil
}

// wireConn is both what is hijacked and what the poller makes of it. ready gets a
// token for every frame until the client counts.
type wireConn struct {
	handler poll.Handler
	ready   chan struct{} // nil: frames are counted
	frames  int
}

func (c *wireConn) Send(poll.Frame) error {
	if c.ready != nil {
		c.ready <- struct{}{}
	} else {
		c.frames++
	}
	return nil
}
func (c *wireConn) Buffered() int        { return 0 }
func (c *wireConn) PauseRead()           {}
func (c *wireConn) ResumeRead()          {}
func (c *wireConn) Finish()              {}
func (c *wireConn) Close(error)          {}
func (c *wireConn) RemoteAddr() net.Addr { return nil }

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

type hijacker struct {
	http.ResponseWriter
	ready chan struct{}
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c := &hijacked{conn: &wireConn{ready: h.ready}}
	return c, bufio.NewReadWriter(bufio.NewReader(bytes.NewReader(nil)), bufio.NewWriter(io.Discard)), nil
}

// accept opens a WebSocket.
func (w *wire) accept(t testing.TB, srv *stomp.Server, ready chan struct{}) *wireConn {
	r := httptest.NewRequest(http.MethodGet, "/stomp", nil)
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "User-Agent": "Mozilla/5.0 (X11; Linux x86_64)",
	} {
		r.Header.Set(name, value)
	}
	srv.ServeHTTP(&hijacker{httptest.NewRecorder(), ready}, r)
	if len(w.conns) == 0 {
		t.Fatal("no connection was taken over")
	}
	return w.conns[len(w.conns)-1]
}

// open connects a client. subscription is its SUBSCRIBE frame, if any.
func (w *wire) open(t testing.TB, srv *stomp.Server, ready chan struct{}, subscription string) {
	c := w.accept(t, srv, ready)
	c.receive(t, "CONNECT\naccept-version:1.2\nhost:test\nheart-beat:10000,10000\n\n\x00")
	<-ready
	if subscription != "" {
		c.receive(t, subscription)
		<-ready
	}
	c.ready = nil
}

// populate returns a hub with n clients. name gives the id of a client's
// subscription to /topic/room, empty for none.
func populate(t testing.TB, n int, name func(i int) string) (*hub.Hub, *stomp.Server, *wire) {
	h, err := hub.New(context.Background(), hub.Options{Bus: memory.New(memory.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{conns: make([]*wireConn, 0, n)}
	// The longest heart-beats: none is to be counted.
	srv, err := stomp.New(h, stomp.Options{Poller: w, Heartbeat: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, c := range w.conns {
			c.handler.Closed(io.EOF)
		}
		must(t, srv.Close(context.Background()))
		must(t, h.Close(context.Background()))
	})
	ready := make(chan struct{}, 1)
	for i := range n {
		subscription := ""
		if id := name(i); id != "" {
			subscription = "SUBSCRIBE\nid:" + id + "\ndestination:/topic/room\nreceipt:1\n\n\x00"
		}
		w.open(t, srv, ready, subscription)
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
	if raceEnabled {
		t.Skip("the race detector's memory is not ours")
	}
	for _, c := range []struct {
		what  string
		name  func(int) string
		limit float64
	}{{"idle", nobody, 800}, {"one subscription", alike, 1050}} {
		t.Run(c.what, func(t *testing.T) {
			before := heap()
			_, srv, w := populate(t, *clients, c.name)
			used := float64(heap()-before) / float64(*clients)
			t.Logf("%d clients: %.0f B of heap each, %d goroutines", *clients, used, runtime.NumGoroutine())
			if used > c.limit {
				t.Errorf("a client takes %.0f B of heap, want at most %.0f", used, c.limit)
			}
			runtime.KeepAlive(srv)
			runtime.KeepAlive(w)
		})
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
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
				if w.conns[members-1].frames < b.N {
					b.Errorf("the last member got %d frames of %d", w.conns[members-1].frames, b.N)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*members), "ns/delivery")
			})
		}
	}
}

// TestBroadcastAllocations: of clients with the same ids it does not matter how
// many there are.
func TestBroadcastAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	allocations := func(members int) float64 {
		h, _, w := populate(t, members, alike)
		sp := h.Space("/", hub.Hooks{})
		n := testing.AllocsPerRun(50, func() {
			must(t, sp.Publish(context.Background(), &belfry.Message{Target: belfry.Target{Rooms: []belfry.Room{"room"}}, Data: []byte(`["x",1]`)}))
		})
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
		w := &wire{}
		srv, err := stomp.New(h, stomp.Options{Poller: w, Heartbeat: time.Hour})
		must(t, err)
		c := w.accept(t, srv, nil)
		if connected {
			s = "CONNECT\naccept-version:1.2\n\n\x00" + s
		}
		k := int(step)%100 + 1
		for rest := s; rest != ""; rest = rest[min(k, len(rest)):] {
			frame := []byte{0x82, 0x80 | byte(min(k, len(rest))), 0, 0, 0, 0}
			if c.handler.Data(append(frame, rest[:min(k, len(rest))]...)) != nil {
				break
			}
		}
		c.handler.Closed(io.EOF)
		must(t, srv.Close(context.Background()))
		must(t, h.Close(context.Background()))
	})
}
