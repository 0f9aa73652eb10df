package poll_test

import (
	"errors"
	"net"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

func TestSlowPeerIsClosed(t *testing.T) {
	const limit = 256 << 10
	overAll(t, poll.Options{MaxQueue: limit}, func(t *testing.T, w *world) {
		h := newHandler(nil)
		w.connect(h) // whose client never reads
		frame := poll.Frame{Data: make([]byte, 10_000)}
		var err error
		for range 10_000 { // far more than any socket holds
			if err = h.conn.Send(frame); err != nil {
				break
			}
			if n := h.conn.Buffered(); n > limit {
				t.Fatalf("%d bytes wait, the limit is %d", n, limit)
			}
		}
		if !errors.Is(err, poll.ErrSlow) {
			t.Errorf("Send returns %v, want ErrSlow", err)
		}
		if err := h.reason(t); !errors.Is(err, poll.ErrSlow) {
			t.Errorf("reason %v, want ErrSlow", err)
		}
		if err := h.conn.Send(frame); !errors.Is(err, poll.ErrClosed) {
			t.Errorf("Send returns %v, want ErrClosed", err)
		}
		if n := w.group.Stats().SlowCloses; n != 1 {
			t.Errorf("%d slow closes counted", n)
		}
		if n := h.conn.Buffered(); n != 0 {
			t.Errorf("%d bytes wait on a closed connection", n)
		}
	})
}

// A frame larger than the queue is taken when nothing waits, and only then.
func TestLargeFrame(t *testing.T) {
	overAll(t, poll.Options{MaxQueue: 1000}, func(t *testing.T, w *world) {
		h := newHandler(nil)
		client := w.connect(h)
		if w.secure {
			handshake(t, client, h)
		}
		want := noise(16 << 20)
		mustSend(t, h.conn, want)
		if h.conn.Buffered() == 0 {
			t.Fatal("nothing waits: the test does not test")
		}
		second := poll.Frame{Data: want, Overflow: poll.DropOldest}
		if err := h.conn.Send(second); !errors.Is(err, poll.ErrDropped) {
			t.Errorf("the second one: %v, want ErrDropped", err)
		}
		readFull(t, client, make([]byte, len(want)))
		eventually(t, "the queue is empty", func() bool { return h.conn.Buffered() == 0 })
	})
}

// The kernel keeps little for a peer that does not read.
func TestNotSentLowat(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("Linux only")
	}
	overAll(t, poll.Options{MaxQueue: 64 << 20}, func(t *testing.T, w *world) {
		if w.network != "tcp" {
			t.Skip("TCP only")
		}
		h := newHandler(nil)
		client := w.connect(h)
		if w.secure {
			handshake(t, client, h)
		}
		const total = 16 << 20
		for range total / 1000 {
			mustSend(t, h.conn, make([]byte, 1000))
		}
		was := -1
		eventually(t, "the kernel takes no more", func() bool {
			now := h.conn.Buffered()
			stuck := now == was
			was = now
			return stuck
		})
		if kept := total - h.conn.Buffered(); kept > 1<<20 {
			t.Errorf("the kernel took %d bytes", kept)
		}
	})
}

func TestEmptyFrame(t *testing.T) {
	overAll(t, poll.Options{}, func(t *testing.T, w *world) {
		h := newHandler(nil)
		w.connect(h)
		if err := h.conn.Send(poll.Frame{}); err != nil {
			t.Error(err)
		}
		h.conn.Close(nil)
		if err := h.conn.Send(poll.Frame{}); !errors.Is(err, poll.ErrClosed) {
			t.Errorf("Send returns %v", err)
		}
	})
}

// Where writing blocks, a write that lasts means a slow peer.
func TestSlowByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		group, err := poll.New(poll.Options{Portable: true})
		if err != nil {
			t.Fatal(err)
		}
		client, server := net.Pipe() // writes last until they are read
		h := newHandler(nil)
		if err := group.Add(server, nil, h.bind); err != nil {
			t.Fatal(err)
		}
		volatile := poll.Frame{Data: []byte("v"), Volatile: true}
		state := poll.Frame{Data: []byte("s1"), Overflow: poll.KeepLatest}
		mustSend(t, h.conn, []byte("first"))
		synctest.Wait()
		for _, f := range []poll.Frame{volatile, state} {
			if err := h.conn.Send(f); err != nil {
				t.Errorf("at once: %v", err)
			}
		}
		<-time.After(11 * time.Millisecond) // of the bubble's time
		if err := h.conn.Send(volatile); !errors.Is(err, poll.ErrDropped) {
			t.Errorf("later: %v, want ErrDropped", err)
		}
		state.Data = []byte("s2")
		if err := h.conn.Send(state); err != nil {
			t.Error(err)
		}
		got := make([]byte, len("firstvs2"))
		readFull(t, client, got)
		if string(got) != "firstvs2" {
			t.Errorf("got %q", got)
		}
		h.conn.Finish() // closes, for a pipe has no halves
		if err := h.reason(t); err != nil {
			t.Errorf("reason %v", err)
		}
		if err := group.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
