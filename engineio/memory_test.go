package engineio

import (
	"runtime"
	"testing"
	"unsafe"
)

// TestSessionSize keeps a session in the size class it was designed for.
func TestSessionSize(t *testing.T) {
	if size := unsafe.Sizeof(Session{}); size > 160 {
		t.Errorf("a Session has %d bytes", size)
	}
}

// browserHeaders are what a browser sends.
const browserHeaders = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n" +
	"Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-US,en;q=0.9\r\nCache-Control: no-cache\r\nPragma: no-cache\r\n" +
	"Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\nOrigin: https://example.com"

// quiet is a layer above that keeps nothing.
type quiet struct{}

func (quiet) Message([]byte, bool) error { return nil }
func (quiet) Closed(Reason, error)       {}

// heapOf measures what n idle sessions keep alive, bytes each.
func heapOf(t testing.TB, o Options, n int, open func(ts *testServer)) float64 {
	srv, err := New(o, func(*Session) Receiver { return quiet{} })
	if err != nil {
		t.Fatal(err)
	}
	ts := listen(t, srv)
	for range 50 {
		open(ts)
	}
	before := heap()
	for range n {
		open(ts)
	}
	return float64(heap()-before) / float64(n)
}

func heap() uint64 {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
