package engineio

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// within checks that d has passed since begin, up to two ticks late.
func within(t *testing.T, s *Server, begin time.Time, d time.Duration) {
	t.Helper()
	late := 2 * resolution(&s.o)
	if took := time.Since(begin); took < d || took > d+late {
		t.Errorf("after %v, want %v to %v", took, d, d+late)
	}
}

func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		w, s := b.ws("4")
		for range 3 {
			begin := time.Now()
			if f := <-w.frames; f != "2" {
				t.Fatalf("frame %q", f)
			}
			within(t, b.Server, begin, 25*time.Second)
			time.Sleep(time.Second) // the interval begins at the pong
			w.put("3")
			synctest.Wait()
		}
		begin := time.Now()
		<-w.frames
		within(t, b.Server, begin, 25*time.Second)
		begin = time.Now()
		e := <-s.closed
		within(t, b.Server, begin, 20*time.Second)
		if e.reason != ReasonPingTimeout || !errors.Is(e.detail, errNoPong) {
			t.Errorf("closed with %q, %v", e.reason, e.detail)
		}
		if f := <-w.frames; f != "close" {
			t.Errorf("frame %q", f)
		}
		w.c.Close()
	})
}

func TestUnsolicitedPong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		w, _ := b.ws("4")
		begin := time.Now()
		time.Sleep(20 * time.Second)
		w.put("3")
		<-w.frames
		within(t, b.Server, begin, 45*time.Second)
		w.c.Close()
	})
}

// TestPacketsExtendPingTimeout: once per ping, and only those after the ping.
func TestPacketsExtendPingTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		w, s := b.ws("4")
		w.put("4before the ping")
		<-w.frames
		time.Sleep(15 * time.Second)
		w.put("4sign of life")
		begin := time.Now()
		time.Sleep(15 * time.Second)
		w.put("4in vain")
		e := <-s.closed
		within(t, b.Server, begin, 20*time.Second)
		if e.reason != ReasonPingTimeout {
			t.Errorf("closed with %q", e.reason)
		}
		w.c.Close()
	})
}

func TestPongAfterExtension(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		w, s := b.ws("4")
		for range 5 {
			<-w.frames
			time.Sleep(15 * time.Second)
			w.put("4x")
			time.Sleep(15 * time.Second)
			w.put("3")
		}
		if !s.isOpen() {
			t.Error("closed")
		}
		w.c.Close()
	})
}

func TestHeartbeatProtocol3(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{AllowEIO3: true})
		defer b.stop()
		w, s := b.ws("3")
		for range 3 {
			time.Sleep(40 * time.Second)
			w.put("2")
			if f := <-w.frames; f != "3" {
				t.Fatalf("frame %q", f)
			}
			time.Sleep(40 * time.Second)
			w.put("4any packet counts")
		}
		begin := time.Now()
		e := <-s.closed
		within(t, b.Server, begin, 45*time.Second)
		if e.reason != ReasonPingTimeout || !errors.Is(e.detail, errNoPing) {
			t.Errorf("closed with %q, %v", e.reason, e.detail)
		}
		w.c.Close()
	})
}

func TestHeartbeatDirection(t *testing.T) {
	for eio, frame := range map[string]string{"4": "2", "3": "3"} {
		synctest.Test(t, func(t *testing.T) {
			b := newBubble(t, Options{AllowEIO3: true})
			defer b.stop()
			w, s := b.ws(eio)
			w.put(frame)
			if e := <-s.closed; e.reason != ReasonTransportError || !errors.Is(e.detail, errDirection) {
				t.Errorf("closed with %q, %v", e.reason, e.detail)
			}
			w.c.Close()
		})
	}
}

func TestHeartbeatOverPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		query, s := b.poll("4")
		for range 3 {
			begin := time.Now()
			if w := b.do("GET", query, ""); w.Body.String() != "2" {
				t.Fatalf("GET: %q", w.Body)
			}
			within(t, b.Server, begin, 25*time.Second)
			if w := b.do("POST", query, "3"); w.Body.String() != "ok" {
				t.Fatalf("POST: %q", w.Body)
			}
		}
		begin := time.Now()
		if e := <-s.closed; e.reason != ReasonPingTimeout {
			t.Errorf("closed with %q", e.reason)
		}
		within(t, b.Server, begin, 45*time.Second)
	})
}

// TestHeartbeatThroughUpgrade: a ping that is out on polling does not count on
// the new transport; the next one comes an interval after the upgrade.
func TestHeartbeatThroughUpgrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		query, s := b.poll("4")
		if w := b.do("GET", query, ""); w.Body.String() != "2" {
			t.Fatalf("GET: %q", w.Body)
		}
		time.Sleep(19 * time.Second)
		w := b.upgrade(ws4 + "&sid=" + s.ID())
		w.put("2probe")
		<-w.frames
		w.put("5")
		begin := time.Now()
		if f := <-w.frames; f != "2" {
			t.Fatalf("frame %q", f)
		}
		within(t, b.Server, begin, 25*time.Second)
		w.c.Close()
		<-s.closed
	})
}

func TestUpgradeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		_, s := b.poll("4")
		w := b.upgrade(ws4 + "&sid=" + s.ID())
		begin := time.Now()
		if f := <-w.frames; f != "close" {
			t.Errorf("frame %q", f)
		}
		within(t, b.Server, begin, 10*time.Second)
		if !s.isOpen() || s.upgrading() {
			t.Error("the session does not go on")
		}
		w.c.Close()
	})
}

// TestReleaseIsSlowedDown: clients that do not pause get a noop at once a few
// times, and then in intervals.
func TestReleaseIsSlowedDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		query, s := b.poll("4")
		w := b.upgrade(ws4 + "&sid=" + s.ID())
		w.put("2probe")
		<-w.frames
		for i := range quickReleases + 3 {
			begin := time.Now()
			if w := b.do("GET", query, ""); w.Body.String() != "6" {
				t.Fatalf("GET: %q", w.Body)
			}
			if i < quickReleases {
				within(t, b.Server, begin, 0)
			} else {
				within(t, b.Server, begin, releaseDelay)
			}
		}
		w.c.Close()
	})
}

// TestLingeringSession: a closed session waits for a GET, but not for ever.
func TestLingeringSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, Options{})
		defer b.stop()
		query, s := b.poll("4")
		s.Close()
		<-s.closed
		time.Sleep(lingerTime - time.Second)
		synctest.Wait()
		if w := b.do("POST", query, "4x"); w.Body.String() != "ok" {
			t.Errorf("POST while it lingers: %d %q", w.Code, w.Body)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if w := b.do("GET", query, ""); w.Body.String() != refused(1, "Session ID unknown") {
			t.Errorf("GET after it lingered: %d %q", w.Code, w.Body)
		}
		if n := len(b.index.all()); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}

// TestCloseWithoutGETs: who closes the server waits for the clients that will
// fetch something, not for those that are gone.
func TestCloseWithoutGETs(t *testing.T) {
	const bye = "4bye"
	for name, c := range map[string]struct {
		leave func(b *bubble, s *testSession)
		took  time.Duration
		get   string
	}{
		"nothing to fetch": {func(*bubble, *testSession) {}, 0, refused(1, "Session ID unknown")},
		"between two GETs": {func(_ *bubble, s *testSession) {
			_ = s.Send(text("bye"), SendOptions{})
		}, closingLinger, bye},
		"gone": {func(_ *bubble, s *testSession) {
			_ = s.Send(text("bye"), SendOptions{})
			time.Sleep(2 * closingLinger)
		}, 0, refused(1, "Session ID unknown")},
		"closed before": {func(_ *bubble, s *testSession) {
			s.Session.Close()
			time.Sleep(2 * closingLinger)
		}, 0, refused(1, "Session ID unknown")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t, Options{})
				defer b.stop()
				query, s := b.poll("4")
				c.leave(b, s)
				begin := time.Now()
				closed := make(chan error, 1)
				go func() { closed <- b.Close(t.Context()) }()
				time.Sleep(closingLinger / 2)
				synctest.Wait()
				if w := b.do("GET", query, ""); w.Body.String() != c.get {
					t.Errorf("GET while the server closes: %d %q, want %q", w.Code, w.Body, c.get)
				}
				if err := <-closed; err != nil {
					t.Error(err)
				}
				within(t, b.Server, begin, max(c.took, closingLinger/2))
			})
		})
	}
}
