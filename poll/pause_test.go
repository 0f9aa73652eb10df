package poll_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

func TestPauseInData(t *testing.T) {
	overAll(t, poll.Options{Loops: 1}, func(t *testing.T, w *world) {
		var calls atomic.Int64
		var got bytes.Buffer
		h := newHandler(func(c poll.Conn, p []byte) error {
			c.PauseRead()
			got.Write(p)
			calls.Add(1)
			return nil
		})
		client := w.connect(h)
		other := w.connect(newHandler(echo))
		write := func(s string) {
			t.Helper()
			if _, err := io.WriteString(client, s); err != nil {
				t.Fatal(err)
			}
		}
		write("a")
		eventually(t, "the first byte", func() bool { return calls.Load() == 1 })
		write("b")
		_ = client.Close()
		// The same loop serves others meanwhile.
		for range 20 {
			if _, err := io.WriteString(other, "x"); err != nil {
				t.Fatal(err)
			}
			readFull(t, other, make([]byte, 1))
		}
		if n := calls.Load(); n != 1 {
			t.Fatalf("%d calls of Data while paused", n)
		}
		h.conn.ResumeRead()
		eventually(t, "the second byte", func() bool { return calls.Load() == 2 })
		h.conn.ResumeRead()
		if err := h.reason(t); !errors.Is(err, io.EOF) {
			t.Errorf("reason %v", err)
		}
		if got.String() != "ab" {
			t.Errorf("got %q", got.String())
		}
	})
}

// A paused reader slows the peer down; nothing is lost.
func TestPauseIsBackPressure(t *testing.T) {
	const size = 64 << 20 // more than any socket holds
	overPlain(t, poll.Options{}, func(t *testing.T, w *world) {
		var got atomic.Int64
		h := newHandler(func(_ poll.Conn, p []byte) error {
			got.Add(int64(len(p)))
			return nil
		})
		h.onBind = func(c poll.Conn) { c.PauseRead() }
		client := w.connect(h)
		_ = client.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
		n, err := client.Write(make([]byte, size))
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("wrote %d bytes, %v: the peer is not slowed down", n, err)
		}
		if got.Load() > 0 {
			t.Errorf("%d bytes delivered while paused", got.Load())
		}
		h.conn.ResumeRead()
		_ = client.SetWriteDeadline(time.Now().Add(patience))
		if _, err := client.Write(make([]byte, size-n)); err != nil {
			t.Fatal(err)
		}
		_ = client.Close()
		if err := h.reason(t); !errors.Is(err, io.EOF) {
			t.Errorf("reason %v", err)
		}
		if got.Load() != size {
			t.Errorf("got %d bytes, want %d", got.Load(), size)
		}
	})
}
