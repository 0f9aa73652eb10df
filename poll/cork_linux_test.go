package poll_test

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/poll/cork"
)

// corked is a world with a connection, and a cork that is closed.
func corked(t *testing.T, o poll.Options) (w *world, h *handler, client net.Conn, k *cork.Cork) {
	t.Helper()
	w = newWorld(t, way{network: "tcp"}, o)
	h, k = newHandler(nil), new(cork.Cork)
	client = w.connect(h)
	k.Close()
	t.Cleanup(k.Pull)
	return w, h, client, k
}

func mustCork(t *testing.T, h *handler, k *cork.Cork, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err := h.conn.Send(poll.Frame{Data: []byte(text), Cork: k}); err != nil {
			t.Fatal(err)
		}
	}
}

func expect(t *testing.T, client net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	readFull(t, client, got)
	if string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What is sent with a cork is written by one call, when it is pulled.
func TestCork(t *testing.T) {
	w, h, client, k := corked(t, poll.Options{})
	before := w.group.Stats()
	mustCork(t, h, k, "1", "2", "3")
	if n := h.conn.Buffered(); n != 3 {
		t.Errorf("%d bytes wait, want 3", n)
	}
	k.Flush()
	mustCork(t, h, k, "4", "5")
	k.Pull()
	after := w.group.Stats()
	if writes, frames := after.Writes-before.Writes, after.Frames-before.Frames; writes != 2 || frames != 5 {
		t.Errorf("%d frames in %d calls, want 5 in 2", frames, writes)
	}
	mustCork(t, h, k, "6") // late: nobody would pull the cork
	if n := h.conn.Buffered(); n != 0 {
		t.Errorf("%d bytes wait, want 0", n)
	}
	expect(t, client, "123456")
}

// What is sent without the cork goes at once, and takes what is before it along.
func TestCorkKeepsOrder(t *testing.T) {
	_, h, client, k := corked(t, poll.Options{})
	mustCork(t, h, k, "1", "2")
	mustSend(t, h.conn, []byte("3"))
	if n := h.conn.Buffered(); n != 0 {
		t.Errorf("%d bytes wait, want 0", n)
	}
	mustCork(t, h, k, "4")
	other := new(cork.Cork)
	other.Close()
	mustCork(t, h, other, "5")
	other.Pull() // the connection is the first one's
	k.Pull()
	expect(t, client, "12345")
}

// The end of a connection does not wait for the cork, and loses nothing.
func TestFinishWhileCorked(t *testing.T) {
	_, h, client, k := corked(t, poll.Options{})
	mustCork(t, h, k, "1", "2")
	h.conn.Finish()
	got, err := io.ReadAll(client)
	if err != nil || string(got) != "12" {
		t.Errorf("got %q, %v, want 12", got, err)
	}
}

// A connection that is gone when the cork is pulled does no harm.
func TestCloseWhileCorked(t *testing.T) {
	_, h, _, k := corked(t, poll.Options{})
	mustCork(t, h, k, "1")
	gone := errors.New("gone")
	h.conn.Close(gone)
	if err := h.reason(t); !errors.Is(err, gone) {
		t.Errorf("reason %v", err)
	}
	k.Pull()
}

// The cork does not raise the bound of what a slow client may have waiting.
func TestCorkIsBounded(t *testing.T) {
	_, h, _, k := corked(t, poll.Options{MaxQueue: 64 << 10})
	frame := poll.Frame{Data: make([]byte, 1000), Cork: k}
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		err := h.conn.Send(frame)
		if n := h.conn.Buffered(); n > 64<<10 {
			t.Fatalf("%d bytes wait", n)
		}
		if errors.Is(err, poll.ErrSlow) {
			return
		}
	}
	t.Error("a client that does not read was not closed")
}

// A frame that may be dropped waits for the cork, and counts as slow only if the
// kernel has no room.
func TestCorkedVolatile(t *testing.T) {
	_, h, client, k := corked(t, poll.Options{})
	mustCork(t, h, k, "1")
	if err := h.conn.Send(poll.Frame{Data: []byte("2"), Volatile: true, Cork: k}); err != nil {
		t.Error(err)
	}
	k.Pull()
	expect(t, client, "12")
}

// Corks and collecting under load do not disturb each other.
func TestCorkWhileCollecting(t *testing.T) {
	w := collecting(t, poll.Options{MaxCoalesce: 5 * time.Millisecond, Loops: 1, MaxQueue: 1 << 30})
	h, k := newHandler(nil), new(cork.Cork)
	client := w.connect(h)
	c := crowd{senders: 1, count: 3000, frame: func(s, n uint32) poll.Frame {
		f := poll.Frame{Data: stamped(s, n, int(n%100))}
		if n%3 > 0 {
			f.Cork = k
		}
		switch n % 50 {
		case 10:
			k.Close()
		case 30:
			k.Flush()
		case 40:
			k.Pull()
		}
		return f
	}}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		c.send(t, h.conn)
		h.conn.Finish()
	}()
	l, err := readAll(client)
	if err == nil {
		err = l.complete(1, 3000)
	}
	if err != nil {
		t.Error(err)
	}
	<-sent
}
