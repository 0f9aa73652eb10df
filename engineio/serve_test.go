package engineio

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// testServer is a Server behind a real listener.
type testServer struct {
	*Server
	t    testing.TB
	addr string
	// sessions has every session that began, in order.
	sessions chan *testSession
}

// testSession is the layer above one session.
type testSession struct {
	*Session
	messages chan string // binary ones with the prefix "bin:"
	closed   chan ending
	// onMessage runs within Message, if not nil.
	onMessage func(data []byte, binary bool) error

	mu    sync.Mutex
	ended bool
}

var errRefused = errors.New("refused by the test")

func (s *testSession) Message(data []byte, binary bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		panic("Message after Closed")
	}
	if s.onMessage != nil {
		return s.onMessage(data, binary)
	}
	text := string(data)
	if binary {
		text = "bin:" + text
	}
	s.messages <- text
	return nil
}

func (s *testSession) Closed(r Reason, detail error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		panic("Closed twice")
	}
	s.ended = true
	s.closed <- ending{r, detail}
}

// serve starts a server. accept may be nil; it runs before the session is
// handed to the test.
func serve(t testing.TB, o Options, accept func(*testSession)) *testServer {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	sessions := make(chan *testSession, 4096)
	srv, err := New(o, func(s *Session) Receiver {
		sess := &testSession{Session: s, messages: make(chan string, 4096), closed: make(chan ending, 1)}
		if accept != nil {
			accept(sess)
		}
		sessions <- sess
		return sess
	})
	if err != nil {
		t.Fatal(err)
	}
	ts := listen(t, srv)
	ts.sessions = sessions
	return ts
}

// listen puts a server behind a listener until the end of the test.
func listen(t testing.TB, srv *Server) *testServer {
	mux := http.NewServeMux()
	mux.Handle("/engine.io/", srv)
	h := httptest.NewServer(mux)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for _, s := range srv.index.all() {
			s.cut() // a polling session would wait for a GET
		}
		if err := srv.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
		h.Close()
	})
	return &testServer{Server: srv, t: t, addr: strings.TrimPrefix(h.URL, "http://")}
}

// next returns the next session that began.
func (ts *testServer) next() *testSession {
	ts.t.Helper()
	return receive(ts.t, ts.sessions, "a session")
}

func (s *testSession) message(t testing.TB) string {
	t.Helper()
	return receive(t, s.messages, "a message")
}

// wantClosed waits for the session's end and checks the reason.
func (s *testSession) wantClosed(t testing.TB, r Reason) error {
	t.Helper()
	e := receive(t, s.closed, "the session's end")
	if e.reason != r {
		t.Errorf("closed with %q (%v), want %q", e.reason, e.detail, r)
	}
	return e.detail
}

func receive[T any](t testing.TB, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s did not come", what)
		panic("unreachable")
	}
}

// eventually waits for a condition that nothing signals.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never: %s", what)
		}
	}
}

func text(s string) *Message { return NewText(append(Buffer(len(s)), s...), nil) }

func binary(s string) *Message { return NewBinary(append(Buffer(len(s)), s...)) }

func textWith(s string, attachments ...string) *Message {
	var parts [][]byte
	for _, a := range attachments {
		parts = append(parts, []byte(a))
	}
	return NewText(append(Buffer(len(s)), s...), parts)
}
