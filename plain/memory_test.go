package plain_test

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
	"github.com/seed-09a96375/belfry/plain"
	"github.com/seed-09a96375/belfry/poll"
)

// The front on a transport that is only memory: what a client costs, and a message,
// without the kernel.

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
	check   func(frame []byte) // nil: not checked
}

func (c *wireConn) Send(f poll.Frame) error {
	if c.check != nil {
		c.check(f.Data)
	}
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
	must(t, c.handler.Data(append(frame, text...)))
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

// accept sends a request for a WebSocket or a stream.
func (w *wire) accept(t testing.TB, h http.Handler, target string, ready chan struct{}) *wireConn {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "User-Agent": "Mozilla/5.0 (X11; Linux x86_64)",
	} {
		r.Header.Set(name, value)
	}
	h.ServeHTTP(&hijacker{httptest.NewRecorder(), ready}, r)
	if len(w.conns) == 0 {
		t.Fatal("no connection was taken over")
	}
	return w.conns[len(w.conns)-1]
}

// overWire are the kinds of clients.
var overWire = map[string]func(t testing.TB, w *wire, srv *plain.Server, room string) *wireConn{
	"websocket": func(t testing.TB, w *wire, srv *plain.Server, room string) *wireConn {
		ready := make(chan struct{})
		c := w.accept(t, srv.WebSocket(), "/ws", ready)
		request := `{"id":1,"connect":{}}`
		if room != "" {
			request = `{"id":1,"connect":{"rooms":["` + room + `"]}}`
		}
		c.receive(t, request)
		<-ready
		return c
	},
	"stream": func(t testing.TB, w *wire, srv *plain.Server, room string) *wireConn {
		ready := make(chan struct{})
		target := "/sse"
		if room != "" {
			target += "?room=" + room
		}
		c := w.accept(t, srv.EventStream(), target, ready)
		<-ready
		return c
	},
}

// populate returns a hub with n clients of a kind, in a room or in none.
func populate(t testing.TB, n int, log *memory.Log, kind, room string) (*hub.Hub, *plain.Server, *wire) {
	h, err := hub.New(context.Background(), hub.Options{Bus: memory.New(memory.Options{Log: log})})
	must(t, err)
	w := &wire{conns: make([]*wireConn, 0, n)}
	// The longest heartbeats: none is to be counted.
	srv, err := plain.New(h, plain.Options{Poller: w, Heartbeat: time.Hour})
	must(t, err)
	t.Cleanup(func() {
		for _, c := range w.conns {
			c.handler.Closed(io.EOF)
		}
		must(t, srv.Close(context.Background()))
		must(t, h.Close(context.Background()))
	})
	for range n {
		c := overWire[kind](t, w, srv, room)
		c.ready = nil
	}
	return h, srv, w
}

// TestHeapPerClient: a client costs no more than one of Socket.IO (see socketio's
// TestHeapPerSession: 800 B), in a room and with a log, so that it can resume, a
// little more.
//
//	go test ./plain -run TestHeapPerClient -v -clients 1000000
func TestHeapPerClient(t *testing.T) {
	if raceEnabled {
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
				before := heap()
				_, srv, w := populate(t, *clients, c.log, kind, c.room)
				used := float64(heap()-before) / float64(*clients)
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

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
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
				if w.conns[members-1].frames < b.N {
					b.Errorf("the last member got %d frames of %d", w.conns[members-1].frames, b.N)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*members), "ns/delivery")
			})
		}
	}
}

// TestBroadcastAllocations: it does not matter how many clients there are.
func TestBroadcastAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	allocations := func(kind string, members int) float64 {
		h, _, w := populate(t, members, nil, kind, "room")
		sp := h.Space("/", hub.Hooks{})
		n := testing.AllocsPerRun(50, func() {
			must(t, sp.Publish(context.Background(), &belfry.Message{Target: belfry.Target{Rooms: []belfry.Room{"room"}}, Data: []byte(`["x",1]`)}))
		})
		if w.conns[members-1].frames < 50 {
			t.Errorf("the last member got %d frames", w.conns[members-1].frames)
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
		w := &wire{}
		srv, err := plain.New(h, plain.Options{
			Poller: w, Heartbeat: time.Hour, Presence: func(belfry.Room) bool { return true },
			App: func(_ context.Context, _ *plain.Conn, e *plain.Event) (*plain.Answer, error) {
				return &plain.Answer{Args: e.Args, Attachments: e.Attachments}, nil
			},
		})
		must(t, err)
		c := w.accept(t, srv.WebSocket(), "/ws", nil)
		c.check = func(frame []byte) {
			const text = 0x81
			if frame[0] == text && !json.Valid(frame[max(0, bytes.IndexByte(frame[2:], '{'))+2:]) {
				t.Errorf("sent %q", frame)
			}
		}
		if connected {
			c.receive(t, `{"join":{"room":"a"}}`)
		}
		if len(s) < 1<<16 {
			c.receive(t, s)
		}
		c.handler.Closed(io.EOF)
		must(t, srv.Close(context.Background()))
		must(t, h.Close(context.Background()))
	})
}
