package engineio

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

func TestServerClose(t *testing.T) {
	ts := serve(t, Options{}, nil)
	p := ts.poll(4)
	polled := ts.next()
	answer := p.pending(polled.Session)
	w, _ := ts.ws(4)
	socket := ts.next()
	upgrading := ts.poll(4)
	ts.next()
	probe := upgrading.probe(ts)
	gone := ts.upgrade(ws4 + "&sid=" + upgrading.sid) // the second: closed already
	gone.wantClose("")
	if n := ts.Sessions(); n != 3 {
		t.Errorf("%d sessions", n)
	}
	done := make(chan error, 1)
	go func() { done <- ts.Close(t.Context()) }()
	wantAnswer(t, answer, "6\x1e1")
	w.wantClose("")
	polled.wantClosed(t, ReasonServerShutdown)
	socket.wantClosed(t, ReasonServerShutdown)
	upgrading.wantGet("6\x1e1")
	probe.wantClose("")
	if err := receive(t, done, "the end of Close"); err != nil {
		t.Error(err)
	}
	if n := ts.Sessions(); n != 0 {
		t.Errorf("%d sessions after Close", n)
	}
	for _, request := range []string{get(polling4), upgradeRequest(ws4)} {
		if res := raw(t, ts.addr, request); res.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("handshake after Close: %s", res.Status)
		}
	}
	p.wantGone()
	if err := ts.Close(t.Context()); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// TestServerCloseIsBounded: clients that do not answer are cut off.
func TestServerCloseIsBounded(t *testing.T) {
	ts := serve(t, Options{}, nil)
	ts.poll(4) // no GET will come
	polled := ts.next()
	w, _ := ts.ws(4) // the close frame will not be answered
	socket := ts.next()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if err := ts.CloseReason(ctx, ReasonTransportClose); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close: %v", err)
	}
	if took := time.Since(begin); took > cutTime+patience {
		t.Errorf("Close took %v", took)
	}
	polled.wantClosed(t, ReasonTransportClose)
	socket.wantClosed(t, ReasonTransportClose)
	w.want(opClose, "")
	w.wantEOF()
}

func TestEach(t *testing.T) {
	ts := serve(t, Options{}, nil)
	want := make(map[string]bool)
	for range 3 {
		want[ts.poll(4).sid] = true
	}
	closing := ts.poll(4)
	ts.find(closing.sid).Close() // waits for its GET
	ts.Each(func(s *Session) {
		if !want[s.ID()] {
			t.Errorf("session %s", s.ID())
		}
		delete(want, s.ID())
		s.Close()
	})
	if len(want) != 0 || ts.Sessions() != 0 {
		t.Errorf("%d sessions were not visited, %d are open", len(want), ts.Sessions())
	}
}

// TestHandshakeWithoutReader: the client of a handshake is gone before it has
// its answer. The session ends at the latest by its heartbeat.
func TestHandshakeWithoutReader(t *testing.T) {
	ts := serve(t, Options{PingInterval: 50 * time.Millisecond, PingTimeout: 50 * time.Millisecond}, nil)
	c, _ := dial(t, ts.addr)
	if _, err := io.WriteString(c, get(polling4)); err != nil {
		t.Fatal(err)
	}
	c.Close()
	s := ts.next()
	receive(t, s.closed, "the session's end")
}

// TestSlowWebSocketClient: who does not read is closed, as an error.
func TestSlowWebSocketClient(t *testing.T) {
	ts := serve(t, Options{MaxQueue: 100_000}, nil)
	w, _ := ts.ws(4)
	s := ts.next()
	big := text(string(make([]byte, 90_000)))
	for range 1000 {
		if err := s.Send(big, SendOptions{}); err != nil {
			break
		}
	}
	s.wantClosed(t, ReasonTransportError)
	w.c.Close()
}

// TestSlowIsToldAside: the layer above may hold a lock while it sends that it
// also needs in Closed.
func TestSlowIsToldAside(t *testing.T) {
	ts := serve(t, Options{MaxQueue: 1000}, nil)
	ts.poll(4)
	s := ts.next()
	s.mu.Lock() // the lock that Closed takes
	var err error
	for range 3 {
		err = errors.Join(err, s.Send(text(string(make([]byte, 600))), SendOptions{}))
	}
	s.mu.Unlock()
	if !errors.Is(err, poll.ErrSlow) {
		t.Errorf("send: %v", err)
	}
	s.wantClosed(t, ReasonTransportError)
}

// panicky is a layer above with a bug.
type panicky struct{}

func (panicky) Message([]byte, bool) error { panic("Message") }
func (panicky) Closed(Reason, error)       { panic("Closed") }

func TestPanickingReceiver(t *testing.T) {
	srv, err := New(Options{Logger: slog.New(slog.DiscardHandler)}, func(*Session) Receiver { return panicky{} })
	if err != nil {
		t.Fatal(err)
	}
	ts := listen(t, srv)
	w, _ := ts.ws(4)
	w.text("4x")
	w.untilEOF()
	ts.poll(4)
	srv.Each(func(s *Session) { s.Close() })
	eventually(t, "all sessions end", func() bool { return ts.Sessions() == 0 })
}
