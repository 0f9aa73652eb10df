package engineio

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestSlowPOST: a body that drips holds the request for ReadTimeout and not
// longer, and little memory.
func TestSlowPOST(t *testing.T) {
	ts := serve(t, Options{ReadTimeout: 100 * time.Millisecond}, nil)
	p := ts.poll(4)
	s := ts.next()
	c, r := dial(t, ts.addr)
	head := plain("POST", p.query(), "4", "Content-Length: 900000")
	if _, err := io.WriteString(c, head); err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if _, err := c.Write([]byte("x")); err != nil {
					return
				}
			case <-stop:
				return
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	begin := time.Now()
	res := readResponse(t, r)
	if took := time.Since(begin); took > patience/2 {
		t.Errorf("answered after %v", took)
	}
	wantEmpty(t, res, http.StatusRequestTimeout)
	s.wantClosed(t, ReasonTransportError)
	if _, err := r.ReadByte(); err == nil {
		t.Error("the connection stays open")
	}
}

// TestStuckGET: a client that takes nothing of its answer holds the request for
// WriteTimeout and not longer.
func TestStuckGET(t *testing.T) {
	ts := serve(t, Options{WriteTimeout: 100 * time.Millisecond, MaxQueue: 64 << 20}, nil)
	p := ts.poll(4)
	s := ts.next()
	big := text(strings.Repeat("x", 32<<20)) // more than the kernel takes
	if err := s.Send(big, SendOptions{}); err != nil {
		t.Fatal(err)
	}
	c, _ := dial(t, ts.addr)
	if _, err := io.WriteString(c, get(p.query())); err != nil {
		t.Fatal(err)
	}
	s.wantClosed(t, ReasonTransportError)
}

// TestKeptAlive: deadlines of one request do not reach into the next one on the
// same connection.
func TestKeptAlive(t *testing.T) {
	const timeout = 300 * time.Millisecond // also on a busy machine enough for what is there
	ts := serve(t, Options{ReadTimeout: timeout, WriteTimeout: timeout}, nil)
	p := ts.poll(4)
	s := ts.next()
	c, r := dial(t, ts.addr)
	for i := range 3 {
		if _, err := io.WriteString(c, post(p.query(), "4x")); err != nil {
			t.Fatal(err)
		}
		readResponse(t, r)
		s.message(t)
		if _, err := io.WriteString(c, get(p.query())); err != nil {
			t.Fatal(err)
		}
		eventually(t, "GET is pending", s.Writable)
		later := time.NewTimer(timeout + timeout/2) // beyond both deadlines
		<-later.C
		if err := s.Send(text(fmt.Sprint(i)), SendOptions{}); err != nil {
			t.Fatal(err)
		}
		if res := readResponse(t, r); res.body != fmt.Sprintf("4%d", i) {
			t.Fatalf("GET %d: %s %q", i, res.Status, res.body)
		}
	}
}

func TestPausedPOST(t *testing.T) {
	paused := make(chan struct{})
	ts := serve(t, Options{}, func(s *testSession) {
		s.onMessage = func(data []byte, _ bool) error {
			if string(data) == "pause" {
				s.Pause()
				close(paused)
			}
			s.messages <- string(data)
			return nil
		}
	})
	p := ts.poll(4)
	s := ts.next()
	c, r := dial(t, ts.addr)
	if _, err := io.WriteString(c, post(p.query(), "4pause\x1e4after")); err != nil {
		t.Fatal(err)
	}
	receive(t, paused, "the first message")
	s.message(t)
	if !s.posting() || len(s.messages) != 0 {
		t.Error("the POST goes on")
	}
	s.Resume()
	if got := s.message(t); got != "after" {
		t.Errorf("message %q", got)
	}
	if res := readResponse(t, r); res.body != "ok" {
		t.Errorf("POST: %s %q", res.Status, res.body)
	}
}

// TestClosedWhilePaused: the POST that waits is answered.
func TestClosedWhilePaused(t *testing.T) {
	ts := serve(t, Options{}, func(s *testSession) {
		s.onMessage = func(data []byte, _ bool) error {
			s.Pause()
			s.messages <- string(data)
			return nil
		}
	})
	p := ts.poll(4)
	s := ts.next()
	c, r := dial(t, ts.addr)
	if _, err := io.WriteString(c, post(p.query(), "4a\x1e4b")); err != nil {
		t.Fatal(err)
	}
	s.message(t)
	s.Close()
	readResponse(t, r)
	s.wantClosed(t, ReasonForcedClose)
	if len(s.messages) != 0 {
		t.Error("a message was delivered after Close")
	}
	p.wantGet("6\x1e1")
}
