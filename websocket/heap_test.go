package websocket

import (
	"bufio"
	"net"
	"net/http"
	"runtime"
	"testing"
	"time"
	"unsafe"
	"weak"

	"github.com/seed-09a96375/belfry/poll"
)

func TestConnSize(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("counted for 64 bits")
	}
	if n := unsafe.Sizeof(Conn{}); n > 64 {
		t.Errorf("a Conn has %d bytes; allocations step from 64 to 80", n)
	}
}

// captureWriter is a http.ResponseWriter that tells what Hijack handed out.
type captureWriter struct {
	http.ResponseWriter
	reader weak.Pointer[bufio.Reader]
	writer weak.Pointer[bufio.Writer]
}

func (w *captureWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.reader, w.writer = weak.Make(rw.Reader), weak.Make(rw.Writer)
	}
	return nc, rw, err
}

// TestNothingOfHTTPStays: request, URL and both buffers become garbage while
// the connection is open.
func TestNothingOfHTTPStays(t *testing.T) {
	eachCarrier(t, Options{}, poll.Options{}, func(t *testing.T, s *testServer) {
		alive := make(chan func() bool, 1)
		s.http.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c := &captureWriter{ResponseWriter: w}
			s.serve(c, r)
			request, url := weak.Make(r), weak.Make(r.URL)
			reader, writer := c.reader, c.writer
			alive <- func() bool {
				return request.Value() != nil || url.Value() != nil || reader.Value() != nil || writer.Value() != nil
			}
		})
		c := s.open(t, "Sec-WebSocket-Protocol: some\r\n", nil)
		stillAlive := <-alive
		deadline := time.Now().Add(patience)
		for stillAlive() {
			if time.Now().After(deadline) {
				t.Fatal("something of net/http is still referenced")
			}
			runtime.GC()
		}
		c.send(t, textFrame("alive"))
		c.expect(t, Text, []byte("alive"))
	})
}

// heapOf returns the bytes that f has added to the heap, per each of n.
func heapOf(n int, f func()) float64 {
	before := heap()
	f()
	return (heap() - before) / float64(n)
}

func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // empties what sync.Pools kept in the first
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// discardPoller drops its connections; only what is above it stays.
type discardPoller struct{ handlers []poll.Handler }

func (p *discardPoller) Add(_ net.Conn, _ []byte, bind func(poll.Conn) poll.Handler) error {
	p.handlers = append(p.handlers, bind(&sharedSink))
	return nil
}

// sharedSink stands for all connections of a discardPoller.
var sharedSink sinkConn

// BenchmarkIdle reports what an idle connection costs in this package, after
// it has received messages whole and in parts.
func BenchmarkIdle(b *testing.B) {
	const n = 10_000
	h := new(quietHandler)
	for b.Loop() {
		p := &discardPoller{handlers: make([]poll.Handler, 0, n)}
		u := newTestUpgrader(b, Options{Poller: p})
		bytes := heapOf(n, func() {
			for range n {
				if _, err := u.add(nil, nil, Handshake{}, func(*Conn) Handler { return h }); err != nil {
					b.Fatal(err)
				}
			}
			for _, s := range p.handlers {
				_ = s.Data(textFrame("whole"))
				_ = s.Data(textFrame("in parts")[:7])
				_ = s.Data(textFrame("in parts")[7:])
			}
		})
		b.ReportMetric(bytes, "B/conn")
		runtime.KeepAlive(p)
	}
}
