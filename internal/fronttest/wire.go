// Package fronttest is what the tests of the fronts have in common: clients on a
// transport that is only memory, every bus that nodes are joined by, and waiting.
package fronttest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

// Wire is a poll.Poller whose connections write to nobody: what a client costs, and a
// message, without the kernel. It is for one goroutine; the zero value is ready.
type Wire struct{ Conns []*Conn }

// Add implements poll.Poller for the connections of Accept.
func (w *Wire) Add(c net.Conn, _ []byte, bind func(poll.Conn) poll.Handler) error {
	conn := c.(*hijacked).conn
	conn.handler = bind(conn)
	w.Conns = append(w.Conns, conn)
	return nil
}

// Accept sends a request for a WebSocket, or for a stream, to a handler that takes the
// connection over. ready gets a token for every frame until the client Counts; nil:
// it counts from the beginning.
func (w *Wire) Accept(t testing.TB, h http.Handler, target string, ready chan struct{}) *Conn {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	} {
		r.Header.Set(name, value)
	}
	before := len(w.Conns)
	h.ServeHTTP(&hijacker{httptest.NewRecorder(), ready}, r)
	if len(w.Conns) == before {
		t.Fatal("no connection was taken over")
	}
	return w.Conns[before]
}

// End lets all clients go away.
func (w *Wire) End() {
	for _, c := range w.Conns {
		c.End()
	}
}

// Conn is the connection of a client, both what is hijacked and what the poller makes
// of it.
type Conn struct {
	// Frames is how many frames the client has got since it counts.
	Frames int
	// Check, if not nil, looks at every frame.
	Check func(frame []byte)

	handler poll.Handler
	ready   chan struct{}
}

// Receive hands a text message over as the client would send it. It is short, or at
// most 64 KiB.
func (c *Conn) Receive(t testing.TB, text string) {
	t.Helper()
	frame := []byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}
	if len(text) > 125 {
		frame = append(binary.BigEndian.AppendUint16([]byte{0x81, 0xfe}, uint16(len(text))), 0, 0, 0, 0)
	}
	if err := c.Write(append(frame, text...)); err != nil {
		t.Fatal(err)
	}
}

// Write hands bytes over; an error ends the connection.
func (c *Conn) Write(p []byte) error { return c.handler.Data(p) }

// Count lets the client count from now on.
func (c *Conn) Count() { c.ready = nil }

// End lets the client go away.
func (c *Conn) End() { c.handler.Closed(io.EOF) }

// Send implements poll.Conn, as all methods below do.
func (c *Conn) Send(f poll.Frame) error {
	if c.Check != nil {
		c.Check(f.Data)
	}
	if c.ready != nil {
		c.ready <- struct{}{}
	} else {
		c.Frames++
	}
	return nil
}

func (c *Conn) Buffered() int        { return 0 }
func (c *Conn) PauseRead()           {}
func (c *Conn) ResumeRead()          {}
func (c *Conn) Finish()              {}
func (c *Conn) Close(error)          {}
func (c *Conn) RemoteAddr() net.Addr { return nil }

// hijacked is the net.Conn that net/http would hand over.
type hijacked struct {
	net.Conn // nil: what the handshake needs is here
	conn     *Conn
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
	c := &hijacked{conn: &Conn{ready: h.ready}}
	return c, bufio.NewReadWriter(bufio.NewReader(bytes.NewReader(nil)), bufio.NewWriter(io.Discard)), nil
}

// Heap is what the process holds, in bytes, without what nobody refers to.
func Heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
