package engineio

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/websocket"
)

// probe opens a second transport for a polling session and probes it.
func (p *pollClient) probe(ts *testServer) *wsClient {
	p.t.Helper()
	w := ts.upgrade(fmt.Sprintf("EIO=%d&transport=websocket&sid=%s", p.eio, p.sid))
	w.text("2probe")
	w.want(websocket.Text, "3probe")
	return w
}

// TestUpgrade is the exchange that the reference client has.
func TestUpgrade(t *testing.T) {
	for _, eio := range []int{4, 3} {
		t.Run(fmt.Sprint("protocol ", eio), func(t *testing.T) {
			ts := serve(t, Options{AllowEIO3: true}, nil)
			p := ts.poll(eio)
			s := ts.next()
			answer := p.pending(s.Session)
			w := p.probe(ts)
			wantAnswer(t, answer, map[int]string{4: "6", 3: "1:6"}[eio])
			for i := range 3 { // the client has paused
				if err := s.Send(text(fmt.Sprint(i)), SendOptions{}); err != nil {
					t.Error(err)
				}
			}
			if s.Transport() != Polling {
				t.Error("upgraded too early")
			}
			w.text("5")
			for i := range 3 {
				w.want(websocket.Text, fmt.Sprint("4", i))
			}
			w.text("4up")
			if got := s.message(t); got != "up" || s.Transport() != WebSocket {
				t.Errorf("message %q over %v", got, s.Transport())
			}
			for _, request := range []string{get(p.query()), post(p.query(), "4x")} {
				if res := raw(t, ts.addr, request); res.StatusCode != http.StatusBadRequest || res.body != refused(3, "Bad request") {
					t.Errorf("polling after the upgrade: %s %q", res.Status, res.body)
				}
			}
			w.c.Close()
			s.wantClosed(t, ReasonTransportClose)
		})
	}
}

// TestUpgradeReleasesEveryGET: a client that has not seen 3probe yet sends one
// GET after the other; none may hang, and no noop may come over the WebSocket.
func TestUpgradeReleasesEveryGET(t *testing.T) {
	ts := serve(t, Options{}, nil)
	p := ts.poll(4)
	s := ts.next()
	w := p.probe(ts)
	for range quickReleases + 2 {
		p.wantGet("6")
	}
	if err := s.Send(text("by GET"), SendOptions{}); err != nil {
		t.Error(err)
	}
	p.wantGet("4by GET") // packets still go to a GET
	w.text("5")
	if err := s.Send(text("by ws"), SendOptions{}); err != nil {
		t.Error(err)
	}
	w.want(websocket.Text, "4by ws")
}

func TestUpgradeWithoutProbe(t *testing.T) {
	ts := serve(t, Options{}, nil)
	p := ts.poll(4)
	s := ts.next()
	w := ts.upgrade(ws4 + "&sid=" + p.sid)
	w.text("5")
	w.text("4x")
	if got := s.message(t); got != "x" {
		t.Errorf("message %q", got)
	}
}

// TestFailedProbes: whatever happens to the probe, the session goes on.
func TestFailedProbes(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		act  func(*wsClient)
	}{
		{name: "message", act: func(w *wsClient) { w.text("4x"); w.wantClose("") }},
		{name: "other ping", act: func(w *wsClient) { w.text("2"); w.wantClose("") }},
		{name: "binary", act: func(w *wsClient) { w.write(websocket.Binary, "x"); w.wantClose("") }},
		{name: "junk", act: func(w *wsClient) { w.text("?"); w.wantClose("") }},
		{name: "message after the probe", act: func(w *wsClient) {
			w.text("2probe")
			w.want(websocket.Text, "3probe")
			w.text("4x")
			w.wantClose("")
		}},
		{name: "client closes", act: func(w *wsClient) { w.write(opClose, ""); w.wantClose("") }},
		{name: "client is gone", act: func(w *wsClient) { w.c.Close() }},
		{name: "timeout", o: Options{UpgradeTimeout: 500 * time.Millisecond}, act: func(w *wsClient) { w.wantClose("") }},
		{name: "timeout after the probe", o: Options{UpgradeTimeout: 500 * time.Millisecond}, act: func(w *wsClient) {
			w.text("2probe")
			w.want(websocket.Text, "3probe")
			w.wantClose("")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ts := serve(t, c.o, nil)
			p := ts.poll(4)
			s := ts.next()
			c.act(ts.upgrade(ws4 + "&sid=" + p.sid))
			eventually(t, "the attempt is over", func() bool { return !s.upgrading() })
			p.wantOK("4up")
			if got := s.message(t); got != "up" || len(s.messages) != 0 {
				t.Errorf("message %q and %d more", got, len(s.messages))
			}
			answer := p.pending(s.Session) // not released any more
			if err := s.Send(text("down"), SendOptions{}); err != nil {
				t.Error(err)
			}
			wantAnswer(t, answer, "4down")
			w := p.probe(ts) // there is a second chance
			w.text("5")
			eventually(t, "upgraded", func() bool { return s.Transport() == WebSocket })
		})
	}
}

func (s *Session) upgrading() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.poll != nil && s.poll.upgrade != nil
}

func (s *Session) upgradeWaits() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.poll != nil && s.poll.upgrade != nil && s.poll.upgrade.phase == upgradeWaiting
}

func TestSecondWebSocket(t *testing.T) {
	ts := serve(t, Options{}, nil)
	p := ts.poll(4)
	s := ts.next()
	w := p.probe(ts)
	ts.upgrade(ws4 + "&sid=" + p.sid).wantClose("")
	w.text("5")
	w.text("4a")
	s.message(t)
	ts.upgrade(ws4 + "&sid=" + p.sid).wantClose("")
	w.text("4b")
	if got := s.message(t); got != "b" {
		t.Errorf("message %q", got)
	}
}

func TestNoUpgrades(t *testing.T) {
	ts := serve(t, Options{NoUpgrades: true}, nil)
	p := ts.poll(4)
	ts.upgrade(ws4 + "&sid=" + p.sid).wantClose("")
	p.wantOK("4x")
}

// TestGETAtUpgrade: a client that does not pause.
func TestGETAtUpgrade(t *testing.T) {
	ts := serve(t, Options{}, nil)
	p := ts.poll(4)
	s := ts.next()
	w := ts.upgrade(ws4 + "&sid=" + p.sid)
	answer := p.pending(s.Session)
	w.text("5")
	wantAnswer(t, answer, "1")
	if err := s.Send(text("x"), SendOptions{}); err != nil {
		t.Error(err)
	}
	w.want(websocket.Text, "4x")
}

// TestPOSTAtUpgrade: what comes over the WebSocket while a POST is under way is
// delivered after the POST's messages.
func TestPOSTAtUpgrade(t *testing.T) {
	ts := serve(t, Options{}, nil)
	p := ts.poll(4)
	s := ts.next()
	w := p.probe(ts)
	c, r := dial(t, ts.addr)
	whole := post(p.query(), "4a\x1e4b")
	if _, err := io.WriteString(c, whole[:len(whole)-1]); err != nil {
		t.Fatal(err)
	}
	eventually(t, "POST is under way", s.posting)
	w.text("5")
	w.text("4c")
	w.text("4d")
	eventually(t, "the upgrade waits", s.upgradeWaits)
	if _, err := io.WriteString(c, whole[len(whole)-1:]); err != nil {
		t.Fatal(err)
	}
	if res := readResponse(t, r); res.body != "ok" {
		t.Errorf("POST: %s %q", res.Status, res.body)
	}
	w.text("4e")
	for _, want := range []string{"a", "b", "c", "d", "e"} {
		if got := s.message(t); got != want {
			t.Errorf("message %q, want %q", got, want)
		}
	}
}

// TestAbortedPOSTAtUpgrade: the POST that the upgrade waits for breaks off.
func TestAbortedPOSTAtUpgrade(t *testing.T) {
	ts := serve(t, Options{}, nil)
	p := ts.poll(4)
	s := ts.next()
	w := p.probe(ts)
	c, _ := dial(t, ts.addr)
	whole := post(p.query(), "4a")
	if _, err := io.WriteString(c, whole[:len(whole)-1]); err != nil {
		t.Fatal(err)
	}
	eventually(t, "POST is under way", s.posting)
	w.text("5")
	eventually(t, "the upgrade waits", s.upgradeWaits)
	c.Close()
	s.wantClosed(t, ReasonTransportError)
	w.wantClose("")
}

func TestCloseWhileUpgrading(t *testing.T) {
	begin := func(t *testing.T) (*testServer, *pollClient, *testSession, *wsClient) {
		ts := serve(t, Options{}, nil)
		p := ts.poll(4)
		s := ts.next()
		w := p.probe(ts)
		if err := s.Send(text("last"), SendOptions{}); err != nil {
			t.Error(err)
		}
		s.Close()
		s.wantClosed(t, ReasonForcedClose)
		return ts, p, s, w
	}
	t.Run("then 5", func(t *testing.T) {
		_, p, _, w := begin(t)
		w.text("5")
		w.want(websocket.Text, "4last")
		w.wantClose("")
		p.wantGone()
	})
	t.Run("then GET", func(t *testing.T) {
		_, p, _, w := begin(t)
		p.wantGet("4last")
		p.wantGet("6\x1e1")
		w.wantClose("")
		p.wantGone()
	})
	t.Run("then nothing", func(t *testing.T) {
		ts, p, s, w := begin(t)
		s.cut()
		w.wantClose("")
		p.wantGone()
		if n := len(ts.index.all()); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}

// TestPausedUpgrade: a session that is paused stays so on its new transport.
func TestPausedUpgrade(t *testing.T) {
	ts := serve(t, Options{}, nil)
	p := ts.poll(4)
	s := ts.next()
	w := p.probe(ts)
	s.Pause()
	w.text("5")
	eventually(t, "upgraded", func() bool { return s.Transport() == WebSocket })
	w.text("4x")
	if n := len(s.messages); n != 0 {
		t.Errorf("%d messages while paused", n)
	}
	s.Resume()
	s.message(t)
}
