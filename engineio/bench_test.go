package engineio

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/poll"
)

// nullPoller takes connections and everything that is sent, without a network.
type nullPoller struct {
	handler poll.Handler // of the last connection
}

type nullConn struct{ net.Conn }

func (p *nullPoller) Add(c net.Conn, _ []byte, bind func(poll.Conn) poll.Handler) error {
	p.handler = bind(nullConn{c})
	return nil
}

func (nullConn) Send(poll.Frame) error { return nil }
func (nullConn) Buffered() int         { return 0 }
func (nullConn) PauseRead()            {}
func (nullConn) ResumeRead()           {}
func (nullConn) Finish()               {}
func (c nullConn) Close(error)         { c.Conn.Close() }

// nullSession is a WebSocket session on a nullPoller.
func nullSession(t testing.TB) (*Session, poll.Handler) {
	poller := &nullPoller{}
	sessions := make(chan *Session, 1)
	srv, err := New(Options{Poller: poller, Logger: slog.New(slog.DiscardHandler)}, func(s *Session) Receiver {
		sessions <- s
		return quiet{}
	})
	if err != nil {
		t.Fatal(err)
	}
	client, server := net.Pipe()
	t.Cleanup(func() { client.Close() })
	go func() { _, _ = io.Copy(io.Discard, client) }()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(upgradeRequest(ws4))))
	if err != nil {
		t.Fatal(err)
	}
	srv.ServeHTTP(hijacker{httptest.NewRecorder(), server}, r)
	t.Cleanup(func() {
		poller.handler.Closed(io.EOF)
		if err := srv.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return <-sessions, poller.handler
}

// TestHotPathsDoNotAllocate: one message to one more session, one message from
// a client.
func TestHotPathsDoNotAllocate(t *testing.T) {
	s, h := nullSession(t)
	m := textWith("hello", "binary")
	if n := testing.AllocsPerRun(100, func() {
		if err := s.Send(m, SendOptions{}); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("Send: %v allocations", n)
	}
	frame := frameBytes(1, "4hello")
	if n := testing.AllocsPerRun(100, func() {
		if err := h.Data(frame); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("receive: %v allocations", n)
	}
}

// BenchmarkSend is one more receiver of a message, without the write.
func BenchmarkSend(b *testing.B) {
	s, _ := nullSession(b)
	m := text(strings.Repeat("x", 128))
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Send(m, SendOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReceive is one message from a client, from the bytes that were read
// to the layer above.
func BenchmarkReceive(b *testing.B) {
	for _, size := range []int{32, 512} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			_, h := nullSession(b)
			frame := frameBytes(1, "4"+strings.Repeat("x", size-1))
			b.ReportAllocs()
			for b.Loop() {
				if err := h.Data(frame); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPolling is a POST with a message and a GET with the answer, over TCP.
func BenchmarkPolling(b *testing.B) {
	srv, err := New(Options{}, func(s *Session) Receiver { return &echo{s: s} })
	if err != nil {
		b.Fatal(err)
	}
	ts := listen(b, srv)
	p := ts.poll(4)
	c, r := dial(b, ts.addr)
	requests := post(p.query(), "4hello") + get(p.query())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.WriteString(c, requests); err != nil {
			b.Fatal(err)
		}
		for range 2 {
			res, err := http.ReadResponse(r, nil)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, res.Body); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkHandshake is a session that begins and ends, without the network.
func BenchmarkHandshake(b *testing.B) {
	srv, err := New(Options{Poller: &nullPoller{}}, func(*Session) Receiver { return quiet{} })
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/engine.io/?"+polling4, nil)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		srv.Each(func(s *Session) { s.cut() })
	}
	if err := srv.Close(context.Background()); err != nil {
		b.Error(err)
	}
}

// echo sends every message back.
type echo struct{ s *Session }

func (e *echo) Message(data []byte, binary bool) error {
	buf := append(Buffer(len(data)), data...)
	if binary {
		return e.s.Send(NewBinary(buf), SendOptions{})
	}
	return e.s.Send(NewText(buf, nil), SendOptions{})
}

func (e *echo) Closed(Reason, error) {}
