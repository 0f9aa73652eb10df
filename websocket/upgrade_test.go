package websocket

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

func TestUpgrade(t *testing.T) {
	o := Options{Subprotocols: []string{"v12.stomp"}, Deflate: &DeflateOptions{}}
	eachCarrier(t, o, poll.Options{}, func(t *testing.T, s *testServer) {
		s.start.First = AppendFrame(nil, Text, []byte("first"))
		s.start.Header = http.Header{
			"X-Extra":    {"one", "two"},
			"Connection": {"close"},
			"X-Broken":   {"a\r\nX-Smuggled: b"},
		}
		c := s.dial(t, "Sec-WebSocket-Protocol: v12.stomp\r\nSec-WebSocket-Extensions: permessage-deflate\r\n", nil)
		const want = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
			"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: v12.stomp\r\n" +
			"Sec-WebSocket-Extensions: " + answerPlain + "\r\n" +
			"X-Broken: a  X-Smuggled: b\r\nX-Extra: one\r\nX-Extra: two\r\n\r\n"
		if got := c.response(t); got != want {
			t.Errorf("response %q, want %q", got, want)
		}
		c.expect(t, Text, []byte("first"))
		c.send(t, textFrame("hello"))
		c.expect(t, Text, []byte("hello"))
	})
}

// TestHastyClient sends frames together with the request: what net/http has
// read of them is not lost.
func TestHastyClient(t *testing.T) {
	eachCarrier(t, Options{}, poll.Options{}, func(t *testing.T, s *testServer) {
		long := bytes.Repeat([]byte("x"), 20_000)
		c := s.open(t, "", append(textFrame("hasty"), clientFrame(fin|2, long)...))
		c.expect(t, Text, []byte("hasty"))
		c.expect(t, Binary, long)
	})
}

// TestBindUsesConn: whoever binds may send and close at once.
func TestBindUsesConn(t *testing.T) {
	eachCarrier(t, Options{}, poll.Options{}, func(t *testing.T, s *testServer) {
		s.start.First = AppendFrame(nil, Text, []byte("first"))
		over := make(chan *watch, 1)
		s.accept = func(c *Conn) Handler {
			if err := c.Send(poll.Frame{Data: AppendFrame(nil, Text, []byte("second"))}); err != nil {
				t.Error(err)
			}
			c.Close(0, "")
			w := newWatch(c)
			over <- w
			return w
		}
		c := s.open(t, "", textFrame("too late"))
		c.expect(t, Text, []byte("first"))
		c.expect(t, Text, []byte("second"))
		c.expect(t, closing, nil)
		c.send(t, clientFrame(fin|8, nil))
		c.endWriting(t)
		w := <-over
		w.wait(t)
		if w.code != CloseNoStatus || w.err != nil || len(w.messages) != 0 {
			t.Errorf("Closed(%d, %v) after %q", w.code, w.err, w.messages)
		}
	})
}

func TestUpgradeRefused(t *testing.T) {
	s := newTestServer(t, carriers[0], Options{}, poll.Options{})
	res, err := s.http.Client().Get(s.http.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "Invalid Connection header") {
		t.Errorf("%d %q", res.StatusCode, body)
	}
}

// hijackable is a http.ResponseWriter that is taken over as nc.
type hijackable struct {
	http.ResponseWriter
	nc net.Conn
}

func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.nc, bufio.NewReadWriter(bufio.NewReader(h.nc), bufio.NewWriter(h.nc)), nil
}

// countingConn counts what is done to it; its other methods must not be called.
type countingConn struct {
	net.Conn
	writes    int
	deadlines []time.Time
	err       error
	closed    bool
}

func (c *countingConn) Write(p []byte) (int, error) {
	c.writes++
	return len(p), c.err
}

func (c *countingConn) SetDeadline(d time.Time) error {
	c.deadlines = append(c.deadlines, d)
	return nil
}

func (c *countingConn) Close() error {
	c.closed = true
	return nil
}

func checked(t *testing.T, u *Upgrader) Handshake {
	t.Helper()
	h, err := u.Check(goodRequest())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestUpgradeWritesOnce: the response and the first frames are one segment, and
// the connection is handed over without deadlines.
func TestUpgradeWritesOnce(t *testing.T) {
	u := newTestUpgrader(t, Options{})
	nc := new(countingConn)
	start := Start{
		Header: http.Header{"X-Extra": {"x"}},
		First:  AppendFrame(nil, Text, []byte("first")),
		Bind:   func(*Conn) Handler { return new(quietHandler) },
	}
	c, err := u.Upgrade(hijackable{httptest.NewRecorder(), nc}, checked(t, u), start)
	if err != nil || c == nil {
		t.Fatal(err)
	}
	if nc.writes != 1 || nc.closed {
		t.Errorf("%d writes, closed %v", nc.writes, nc.closed)
	}
	if n := len(nc.deadlines); n != 2 || nc.deadlines[0].IsZero() || !nc.deadlines[1].IsZero() {
		t.Errorf("deadlines %v", nc.deadlines)
	}
}

func TestUpgradeCannotTakeOver(t *testing.T) {
	u := newTestUpgrader(t, Options{})
	for name, h := range map[string]Handshake{"no hijacker": checked(t, u), "no handshake": {}} {
		_, err := u.Upgrade(httptest.NewRecorder(), h, Start{})
		if he, ok := errors.AsType[*HandshakeError](err); !ok || he.Status != http.StatusInternalServerError {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUpgradeWriteFails(t *testing.T) {
	u := newTestUpgrader(t, Options{})
	nc := &countingConn{err: io.ErrClosedPipe}
	_, err := u.Upgrade(hijackable{httptest.NewRecorder(), nc}, checked(t, u), Start{})
	if !errors.Is(err, io.ErrClosedPipe) || !nc.closed {
		t.Errorf("got %v, closed %v", err, nc.closed)
	}
	if _, ok := errors.AsType[*HandshakeError](err); ok {
		t.Error("the caller is told that it may still answer")
	}
}

// TestUpgradeTimeout: a client that does not read its response is given up.
func TestUpgradeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newTestUpgrader(t, Options{HandshakeTimeout: 3 * time.Second})
		nc, peer := net.Pipe()
		defer peer.Close()
		begin := time.Now()
		_, err := u.Upgrade(hijackable{httptest.NewRecorder(), nc}, checked(t, u), Start{})
		var ne net.Error
		if !errors.As(err, &ne) || !ne.Timeout() {
			t.Errorf("got %v", err)
		}
		if d := time.Since(begin); d != 3*time.Second {
			t.Errorf("took %v", d)
		}
	})
}

// refusingPoller takes nothing.
type refusingPoller struct{}

func (refusingPoller) Add(net.Conn, []byte, func(poll.Conn) poll.Handler) error {
	return poll.ErrClosed
}

func TestUpgradePollerRefuses(t *testing.T) {
	u := newTestUpgrader(t, Options{Poller: refusingPoller{}})
	_, err := u.Upgrade(hijackable{httptest.NewRecorder(), new(countingConn)}, checked(t, u), Start{})
	if !errors.Is(err, poll.ErrClosed) {
		t.Errorf("got %v", err)
	}
}
