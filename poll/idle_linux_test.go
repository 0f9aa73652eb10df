package poll_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/seed-09a96375/belfry/poll"
)

// silent is the smallest handler.
type silent struct{}

func (silent) Data([]byte) error { return nil }
func (silent) Closed(error)      {}

// An idle connection costs no goroutine and next to no memory.
func TestIdleConnections(t *testing.T) {
	const conns = 5000
	w := newWorld(t, way{network: "tcp"}, poll.Options{})
	servers := startDrain(t, w.ln, conns)
	settle()
	goroutines := runtime.NumGoroutine()
	for _, c := range servers {
		if err := w.group.Add(c, nil, func(poll.Conn) poll.Handler { return silent{} }); err != nil {
			t.Fatal(err)
		}
	}
	if n := runtime.NumGoroutine(); n > goroutines+conns/100 { // the test has some of its own
		t.Errorf("%d goroutines for %d connections", n-goroutines, conns)
	}
	if n := w.group.Stats().Open; n != conns {
		t.Errorf("%d open", n)
	}
}

func TestConnSize(t *testing.T) {
	if poll.ConnSize > 64 {
		t.Errorf("a connection takes %d bytes, want 64", poll.ConnSize)
	}
}

// BenchmarkIdle reports the bytes that an idle connection takes.
func BenchmarkIdle(b *testing.B) {
	for _, portable := range []bool{false, true} {
		b.Run(fmt.Sprintf("portable=%t", portable), func(b *testing.B) { benchIdle(b, portable) })
	}
}

func benchIdle(b *testing.B, portable bool) {
	const conns = 8000
	w := newWorld(b, way{network: "tcp", portable: portable}, poll.Options{})
	settle()
	withoutHeap, withoutRSS := heap(), rss(b)
	for _, c := range startDrain(b, w.ln, conns) {
		if err := w.group.Add(c, nil, func(poll.Conn) poll.Handler { return silent{} }); err != nil {
			b.Fatal(err)
		}
	}
	settle()
	withHeap, withRSS := heap(), rss(b)
	for b.Loop() { // the time is of no interest, but Loop runs all this only once
	}
	b.ReportMetric(float64(withHeap-withoutHeap)/conns, "heap-B/conn")
	b.ReportMetric(float64(withRSS-withoutRSS)/conns, "rss-B/conn")
}

func settle() {
	for range 3 {
		debug.FreeOSMemory()
	}
}

func heap() int {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func rss(t testing.TB) int {
	t.Helper()
	f, err := os.Open("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var size, resident int
	if _, err := fmt.Fscan(f, &size, &resident); err != nil {
		t.Fatal(err)
	}
	return resident * os.Getpagesize()
}

// Neither a direct Send nor a Data allocates.
func TestNoAllocations(t *testing.T) {
	w := newWorld(t, way{network: "tcp"}, poll.Options{MaxCoalesce: -1})
	frame := poll.Frame{Data: bytes.Repeat([]byte{'x'}, frameSize)}
	h := newHandler(func(c poll.Conn, _ []byte) error { return c.Send(frame) })
	client := w.connect(h)
	buf := make([]byte, frameSize)
	roundTrip := func() {
		if _, err := client.Write(buf); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(client, buf); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(500, roundTrip); n != 0 {
		t.Errorf("%v allocations for a Data and a Send", n)
	}
}

// BenchmarkEcho is one message in and out.
func BenchmarkEcho(b *testing.B) {
	for _, way := range ways {
		b.Run(way.name, func(b *testing.B) {
			w := newWorld(b, way, poll.Options{})
			frame := poll.Frame{Data: bytes.Repeat([]byte{'x'}, frameSize)}
			client := w.connect(newHandler(func(c poll.Conn, _ []byte) error { return c.Send(frame) }))
			benchRoundTrips(b, client)
		})
	}
}

func benchRoundTrips(b *testing.B, client net.Conn) {
	buf := make([]byte, frameSize)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Write(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(client, buf); err != nil {
			b.Fatal(err)
		}
	}
}
