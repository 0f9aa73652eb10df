package engineio

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/poll"
)

func TestPayloadOfManyPackets(t *testing.T) {
	ts := serve(t, Options{}, nil)
	p := ts.poll(4)
	s := ts.next()
	p.wantOK("4hello\x1ebAQID\x1e4\x1e0\x1e5\x1e6\x1e4é€😀")
	for _, want := range []string{"hello", "bin:\x01\x02\x03", "", "é€😀"} {
		if got := s.message(t); got != want {
			t.Errorf("message %q, want %q", got, want)
		}
	}
	for _, m := range []*Message{text("a"), textWith("b", "\x01\x02\x03"), binary("\xff"), text("")} {
		if err := s.Send(m, SendOptions{}); err != nil {
			t.Error(err)
		}
	}
	p.wantGet("4a\x1e4b\x1ebAQID\x1eb/w==\x1e4")
}

// wantEmpty checks an answer without a body.
func wantEmpty(t *testing.T, res response, status int) {
	t.Helper()
	if res.StatusCode != status || res.body != "" {
		t.Errorf("answer %s %q, want %d and no body", res.Status, res.body, status)
	}
}

func wantAnswer(t *testing.T, answer <-chan response, body string) {
	t.Helper()
	if res := receive(t, answer, "the pending GET's answer"); res.StatusCode != http.StatusOK || res.body != body {
		t.Errorf("pending GET: %s %q, want %q", res.Status, res.body, body)
	}
}

func TestOverlappingGETs(t *testing.T) {
	ts := serve(t, Options{}, nil)
	p := ts.poll(4)
	s := ts.next()
	first := p.pending(s.Session)
	wantEmpty(t, p.get(), http.StatusBadRequest)
	wantAnswer(t, first, "1")
	s.wantClosed(t, ReasonTransportError)
	p.wantGone()
}

func TestOverlappingPOSTs(t *testing.T) {
	ts := serve(t, Options{}, nil)
	p := ts.poll(4)
	s := ts.next()
	c, r := dial(t, ts.addr)
	if _, err := io.WriteString(c, post(p.query(), "4x\x1e4y")[:len(post(p.query(), "4x\x1e4y"))-2]); err != nil {
		t.Fatal(err)
	}
	eventually(t, "POST is under way", s.posting)
	wantEmpty(t, p.post("4z"), http.StatusBadRequest)
	s.wantClosed(t, ReasonTransportError)
	if _, err := io.WriteString(c, "4y"); err != nil {
		t.Fatal(err)
	}
	readResponse(t, r)
	if len(s.messages) != 0 {
		t.Errorf("a message was delivered: %q", <-s.messages)
	}
	p.wantGone()
}

func (s *Session) posting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.poll != nil && s.poll.posting
}

func TestInvalidPOSTs(t *testing.T) {
	for _, c := range []struct {
		name, body string
		headers    []string
		status     int
		reason     Reason
		delivered  int
	}{
		{name: "unknown packet", body: "abc", status: 400, reason: ReasonParseError},
		{name: "empty body", body: "", status: 400, reason: ReasonParseError},
		{name: "empty packet", body: "4a\x1e\x1e4b", status: 400, reason: ReasonParseError, delivered: 1},
		{name: "bad packet after a good one", body: "4a\x1e9\x1e4b", status: 400, reason: ReasonParseError, delivered: 1},
		{name: "octet-stream", body: "4a", headers: []string{"Content-Type: application/octet-stream"}, status: 400, reason: ReasonTransportError},
		{name: "ping", body: "4a\x1e2\x1e4b", status: 200, reason: ReasonTransportError, delivered: 1},
		{name: "close", body: "4a\x1e1\x1e4b", status: 200, reason: ReasonTransportClose, delivered: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			ts := serve(t, Options{}, nil)
			p := ts.poll(4)
			s := ts.next()
			res := p.post(c.body, c.headers...)
			if want := map[int]string{200: "ok", 400: ""}[c.status]; res.StatusCode != c.status || res.body != want {
				t.Errorf("POST: %s %q, want %d %q", res.Status, res.body, c.status, want)
			}
			s.wantClosed(t, c.reason)
			p.wantGone()
			if n := len(s.messages); n != c.delivered {
				t.Errorf("%d messages delivered, want %d", n, c.delivered)
			}
		})
	}
}

func TestClosePacketReleasesGET(t *testing.T) {
	ts := serve(t, Options{}, nil)
	p := ts.poll(4)
	s := ts.next()
	answer := p.pending(s.Session)
	p.wantOK("1")
	wantAnswer(t, answer, "6")
	s.wantClosed(t, ReasonTransportClose)
}

func TestTooLarge(t *testing.T) {
	ts := serve(t, Options{MaxPayload: 1000}, nil)
	p := ts.poll(4)
	s := ts.next()
	p.wantOK("4" + strings.Repeat("x", 999))
	s.message(t)
	wantEmpty(t, p.post("4"+strings.Repeat("x", 1000)), http.StatusRequestEntityTooLarge)
	wantEmpty(t, p.post("4"+strings.Repeat("x", 1_000_000)), http.StatusRequestEntityTooLarge)
	chunked := plain("POST", p.query(), fmt.Sprintf("3e9\r\n4%s\r\n0\r\n\r\n", strings.Repeat("x", 1000)), "Transfer-Encoding: chunked")
	wantEmpty(t, raw(t, ts.addr, chunked), http.StatusRequestEntityTooLarge)
	p.wantOK("4still there")
	if got := s.message(t); got != "still there" {
		t.Errorf("message %q", got)
	}
}

// TestRefusedMessage: the layer above finds fault with a message.
func TestRefusedMessage(t *testing.T) {
	refuse := func(s *testSession) {
		s.onMessage = func([]byte, bool) error { return errRefused }
	}
	t.Run("no GET", func(t *testing.T) {
		ts := serve(t, Options{}, refuse)
		p := ts.poll(4)
		s := ts.next()
		p.wantOK("4x\x1e4y")
		if detail := s.wantClosed(t, ReasonForcedClose); !errors.Is(detail, errRefused) {
			t.Errorf("detail %v", detail)
		}
		p.wantGet("6\x1e1")
		p.wantGone()
	})
	t.Run("GET pending", func(t *testing.T) {
		ts := serve(t, Options{}, refuse)
		p := ts.poll(4)
		s := ts.next()
		answer := p.pending(s.Session)
		p.wantOK("4x")
		wantAnswer(t, answer, "6\x1e1")
		s.wantClosed(t, ReasonForcedClose)
		p.wantGone()
	})
}

func TestCloseDeliversWhatWasSent(t *testing.T) {
	ts := serve(t, Options{}, nil)
	p := ts.poll(4)
	s := ts.next()
	if err := s.Send(text("a"), SendOptions{}); err != nil {
		t.Error(err)
	}
	s.CloseReason(ReasonServerShutdown)
	s.wantClosed(t, ReasonServerShutdown)
	if err := s.Send(text("b"), SendOptions{}); !errors.Is(err, poll.ErrClosed) {
		t.Errorf("Send after Close: %v", err)
	}
	p.wantOK("4ignored")
	p.wantGet("4a")
	p.wantGet("6\x1e1")
	p.wantGone()
	if len(s.messages) != 0 {
		t.Error("a message was delivered after Close")
	}
}

func TestAbortedGET(t *testing.T) {
	ts := serve(t, Options{}, nil)
	p := ts.poll(4)
	s := ts.next()
	c, _ := dial(t, ts.addr)
	if _, err := io.WriteString(c, get(p.query())); err != nil {
		t.Fatal(err)
	}
	eventually(t, "GET is pending", s.Writable)
	c.Close()
	if detail := s.wantClosed(t, ReasonTransportError); !errors.Is(detail, errAborted) {
		t.Errorf("detail %v", detail)
	}
	p.wantGone()
}

func TestAbortedPOST(t *testing.T) {
	ts := serve(t, Options{}, nil)
	p := ts.poll(4)
	s := ts.next()
	c, _ := dial(t, ts.addr)
	whole := post(p.query(), "4hello")
	if _, err := io.WriteString(c, whole[:len(whole)-1]); err != nil {
		t.Fatal(err)
	}
	eventually(t, "POST is under way", s.posting)
	c.Close()
	s.wantClosed(t, ReasonTransportError)
	p.wantGone()
	if len(s.messages) != 0 {
		t.Error("part of a POST was delivered")
	}
}

func TestVolatileOverPolling(t *testing.T) {
	ts := serve(t, Options{}, nil)
	p := ts.poll(4)
	s := ts.next()
	if s.Writable() {
		t.Error("writable without a GET")
	}
	if err := s.Send(text("lost"), SendOptions{Volatile: true}); !errors.Is(err, poll.ErrDropped) {
		t.Errorf("volatile without a GET: %v", err)
	}
	answer := p.pending(s.Session)
	if err := s.Send(text("seen"), SendOptions{Volatile: true}); err != nil {
		t.Error(err)
	}
	wantAnswer(t, answer, "4seen")
}

func TestSlowPollingClient(t *testing.T) {
	ts := serve(t, Options{MaxQueue: 10_000}, nil)
	p := ts.poll(4)
	s := ts.next()
	kilo := strings.Repeat("x", 1000)
	for range 5 {
		if err := s.Send(text(kilo), SendOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	for range 10 {
		err = errors.Join(err, s.Send(text(kilo), SendOptions{}))
	}
	if !errors.Is(err, poll.ErrSlow) {
		t.Errorf("beyond the bound: %v", err)
	}
	if detail := s.wantClosed(t, ReasonTransportError); !errors.Is(detail, poll.ErrSlow) {
		t.Errorf("detail %v", detail)
	}
	p.wantGone()
}
