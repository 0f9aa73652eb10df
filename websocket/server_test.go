package websocket

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

// patience bounds every wait of a test.
const patience = 30 * time.Second

// carrier is one way in which connections are carried.
type carrier struct {
	name     string
	portable bool
	tls      bool
}

var carriers = []carrier{{name: "epoll"}, {name: "portable", portable: true}, {name: "tls", tls: true}}

// testServer is an HTTP server whose every request becomes a WebSocket.
type testServer struct {
	http     *httptest.Server
	upgrader *Upgrader
	start    Start
	// accept makes the handler of each connection.
	accept func(*Conn) Handler
	// failed gets what Check and Upgrade return.
	failed chan error
}

// eachCarrier runs f against a server on every carrier.
func eachCarrier(t *testing.T, o Options, p poll.Options, f func(t *testing.T, s *testServer)) {
	t.Helper()
	for _, c := range carriers {
		t.Run(c.name, func(t *testing.T) {
			f(t, newTestServer(t, c, o, p))
		})
	}
}

func newTestServer(t testing.TB, c carrier, o Options, p poll.Options) *testServer {
	t.Helper()
	p.Portable = c.portable
	group, err := poll.New(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := group.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	o.Poller = group
	s := &testServer{upgrader: newTestUpgrader(t, o), failed: make(chan error, 100)}
	s.accept = func(c *Conn) Handler { return &echo{conn: c} }
	s.http = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	if c.tls {
		s.http.StartTLS()
	} else {
		s.http.Start()
	}
	t.Cleanup(s.http.Close)
	return s
}

func (s *testServer) serve(w http.ResponseWriter, r *http.Request) {
	h, err := s.upgrader.Check(r)
	if err == nil {
		start := s.start
		start.Bind = func(c *Conn) Handler { return s.accept(c) }
		_, err = s.upgrader.Upgrade(w, h, start)
	}
	if err != nil {
		s.failed <- err
	}
	if he, ok := errors.AsType[*HandshakeError](err); ok {
		http.Error(w, he.Message, he.Status)
	}
}

// echo sends every message back.
type echo struct{ conn *Conn }

func (e *echo) Message(op Opcode, p []byte) error {
	return e.conn.Send(poll.Frame{Data: AppendFrame(nil, op, p)})
}

func (*echo) Closed(int, error) {}

// client is the raw client side of a connection.
type client struct {
	net.Conn
	r *bufio.Reader
}

const upgradeRequest = "GET /socket HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

// dial connects and sends a request with more header lines, and then the bytes
// of early, all in one write.
func (s *testServer) dial(t testing.TB, lines string, early []byte) *client {
	t.Helper()
	addr := s.http.Listener.Addr().String()
	var nc net.Conn
	var err error
	if s.http.TLS != nil {
		nc, err = tls.Dial("tcp", addr, &tls.Config{RootCAs: s.http.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com"})
	} else {
		nc, err = net.Dial("tcp", addr)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	c := &client{Conn: nc, r: bufio.NewReader(nc)}
	c.send(t, append([]byte(upgradeRequest+lines+"\r\n"), early...))
	return c
}

// open is dial, and reads the response.
func (s *testServer) open(t testing.TB, lines string, early []byte) *client {
	t.Helper()
	c := s.dial(t, lines, early)
	if res := c.response(t); !strings.HasPrefix(res, "HTTP/1.1 101 ") {
		t.Fatalf("response %q", res)
	}
	return c
}

// response reads up to the empty line.
func (c *client) response(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	for !strings.HasSuffix(b.String(), "\r\n\r\n") {
		line, err := c.r.ReadString('\n')
		if err != nil {
			t.Fatalf("response %q: %v", b.String(), err)
		}
		b.WriteString(line)
	}
	return b.String()
}

func (c *client) send(t testing.TB, p []byte) {
	t.Helper()
	if _, err := c.Write(p); err != nil {
		t.Fatal(err)
	}
}

// next reads one frame.
func (c *client) next(t testing.TB) serverFrame {
	t.Helper()
	raw := c.exactly(t, nil, 2)
	switch raw[1] {
	case 126:
		raw = c.exactly(t, raw, 2)
		raw = c.exactly(t, raw, int(binary.BigEndian.Uint16(raw[2:])))
	case 127:
		raw = c.exactly(t, raw, 8)
		raw = c.exactly(t, raw, int(binary.BigEndian.Uint64(raw[2:])))
	default:
		raw = c.exactly(t, raw, int(raw[1]))
	}
	f, n := nextServerFrame(raw)
	if n != len(raw) {
		t.Fatalf("not a frame of a server: %x", raw)
	}
	return f
}

// exactly reads n more bytes than p.
func (c *client) exactly(t testing.TB, p []byte, n int) []byte {
	t.Helper()
	p = append(p, make([]byte, n)...)
	if _, err := io.ReadFull(c.r, p[len(p)-n:]); err != nil {
		t.Fatalf("after %x: %v", p[:min(len(p)-n, 20)], err)
	}
	return p
}

// rest reads to the end of the stream.
func (c *client) rest(t testing.TB) []byte {
	t.Helper()
	p, err := io.ReadAll(c.r)
	if err != nil {
		t.Fatalf("after %x: %v", p, err)
	}
	return p
}

// endWriting ends the client's sending side.
func (c *client) endWriting(t testing.TB) {
	t.Helper()
	if err := c.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

// expect reads frames until it has those that the server is to send.
func (c *client) expect(t testing.TB, op Opcode, payload []byte) {
	t.Helper()
	if f := c.next(t); f.op != op || !bytes.Equal(f.payload, payload) {
		t.Fatalf("server sent opcode %#x, %d bytes; want %#x, %d bytes", f.op, len(f.payload), op, len(payload))
	}
}

// watch is a recorder whose end can be waited for.
type watch struct {
	recorder
	over chan struct{}
}

func newWatch(c *Conn) *watch {
	return &watch{recorder: recorder{conn: c}, over: make(chan struct{})}
}

func (w *watch) Closed(code int, err error) {
	w.recorder.Closed(code, err)
	close(w.over)
}

func (w *watch) wait(t testing.TB) {
	t.Helper()
	select {
	case <-w.over:
	case <-time.After(patience):
		t.Fatal("Closed is not called")
	}
}

// watched makes all connections of s report to the channel.
func (s *testServer) watched() chan *watch {
	opened := make(chan *watch, 100)
	s.accept = func(c *Conn) Handler {
		w := newWatch(c)
		opened <- w
		return w
	}
	return opened
}
