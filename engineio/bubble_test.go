package engineio

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/websocket"
)

// Tests of time run in a synctest bubble: without a network, over pipes.

// memPoller is a poll.Poller of pipes.
type memPoller struct{}

func (memPoller) Add(c net.Conn, read []byte, bind func(poll.Conn) poll.Handler) error {
	m := &memConn{c: c, more: make(chan struct{}, 1)}
	h := bind(m)
	go m.write()
	go m.read(h, bytes.Clone(read))
	return nil
}

type memConn struct {
	c    net.Conn
	more chan struct{}

	mu     sync.Mutex
	queue  [][]byte
	finish bool
	reason error
	closed bool
}

func (m *memConn) read(h poll.Handler, first []byte) {
	err := h.Data(first)
	buf := make([]byte, 4096)
	for err == nil {
		var n int
		if n, err = m.c.Read(buf); err == nil {
			err = h.Data(buf[:n])
		}
	}
	m.Close(err)
	m.mu.Lock()
	reason := m.reason
	m.mu.Unlock()
	h.Closed(reason)
}

func (m *memConn) write() {
	for range m.more {
		for {
			m.mu.Lock()
			if len(m.queue) == 0 {
				finish := m.finish
				m.mu.Unlock()
				if finish {
					m.Close(nil)
					return
				}
				break
			}
			data := m.queue[0]
			m.queue = m.queue[1:]
			m.mu.Unlock()
			if _, err := m.c.Write(data); err != nil {
				m.Close(err)
				return
			}
		}
	}
}

func (m *memConn) wake() {
	select {
	case m.more <- struct{}{}:
	default:
	}
}

func (m *memConn) Send(f poll.Frame) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || m.finish {
		return poll.ErrClosed
	}
	m.queue = append(m.queue, f.Data)
	m.wake()
	return nil
}

func (m *memConn) Finish() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.finish = true
	m.wake()
}

func (m *memConn) Close(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	m.closed, m.finish, m.reason = true, true, err
	m.queue = nil
	m.wake()
	m.c.Close()
}

func (m *memConn) Buffered() int        { return 0 }
func (m *memConn) PauseRead()           {}
func (m *memConn) ResumeRead()          {}
func (m *memConn) RemoteAddr() net.Addr { return nil }

// bubble is a server without a network.
type bubble struct {
	*Server
	t        *testing.T
	sessions chan *testSession
}

func newBubble(t *testing.T, o Options) *bubble {
	o.Poller, o.Logger = memPoller{}, slog.New(slog.DiscardHandler)
	b := &bubble{t: t, sessions: make(chan *testSession, 10)}
	srv, err := New(o, func(s *Session) Receiver {
		sess := &testSession{Session: s, messages: make(chan string, 100), closed: make(chan ending, 1)}
		b.sessions <- sess
		return sess
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Server = srv
	return b
}

func (b *bubble) stop() {
	for _, s := range b.index.all() {
		s.cut()
	}
	if err := b.Close(context.Background()); err != nil {
		b.t.Errorf("close: %v", err)
	}
}

// do serves one request and waits for the answer.
func (b *bubble) do(method, query, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequest(method, "/engine.io/?"+query, strings.NewReader(body)))
	return w
}

func (b *bubble) poll(eio string) (query string, s *testSession) {
	query = "EIO=" + eio + "&transport=polling"
	if w := b.do("GET", query, ""); w.Code != http.StatusOK {
		b.t.Fatalf("handshake: %d %s", w.Code, w.Body)
	}
	s = <-b.sessions
	return query + "&sid=" + s.ID(), s
}

// hijacker hands out one end of a pipe.
type hijacker struct {
	http.ResponseWriter
	c net.Conn
}

func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.c, bufio.NewReadWriter(bufio.NewReader(h.c), bufio.NewWriter(h.c)), nil
}

// bubbleWS is a WebSocket client on a pipe.
type bubbleWS struct {
	t *testing.T
	wsClient
	frames chan string // text frames; closed at the end of the stream
}

// upgrade opens a WebSocket and reads it from then on.
func (b *bubble) upgrade(query string) *bubbleWS {
	client, server := net.Pipe()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(upgradeRequest(query))))
	if err != nil {
		b.t.Fatal(err)
	}
	go b.ServeHTTP(hijacker{httptest.NewRecorder(), server}, r)
	w := &bubbleWS{t: b.t, wsClient: wsClient{t: b.t, c: client, r: bufio.NewReader(client)}, frames: make(chan string, 1000)}
	if res, err := http.ReadResponse(w.r, nil); err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		b.t.Fatalf("upgrade: %v %v", res, err)
	}
	go func() {
		defer close(w.frames)
		for {
			op, p, err := w.next()
			if err != nil {
				return
			}
			if op == opClose {
				p = "close"
			}
			w.frames <- p
		}
	}()
	return w
}

func (b *bubble) ws(eio string) (*bubbleWS, *testSession) {
	w := b.upgrade("EIO=" + eio + "&transport=websocket")
	<-w.frames // open
	return w, <-b.sessions
}

// put sends a text frame.
func (w *bubbleWS) put(s string) {
	if _, err := w.c.Write(frameBytes(websocket.Text, s)); err != nil && !errors.Is(err, net.ErrClosed) {
		w.t.Logf("write: %v", err)
	}
}
