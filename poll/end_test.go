package poll_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

func TestFinishSendsWhatIsQueued(t *testing.T) {
	overAll(t, poll.Options{MaxQueue: 64 << 20}, func(t *testing.T, w *world) {
		h := newHandler(nil)
		client := w.connect(h)
		if w.secure {
			handshake(t, client, h)
		}
		want := noise(8 << 20)
		mustSend(t, h.conn, want)
		h.conn.Finish()
		if err := h.conn.Send(poll.Frame{Data: []byte("late")}); !errors.Is(err, poll.ErrClosed) {
			t.Errorf("Send after Finish returns %v", err)
		}
		_ = client.SetReadDeadline(time.Now().Add(patience))
		got, err := io.ReadAll(client)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("got %d bytes, want %d", len(got), len(want))
		}
		_ = client.Close()
		if err := h.reason(t); err != nil {
			t.Errorf("reason %v, want nil", err)
		}
	})
}

// After Finish the peer may go on until it ends.
func TestFinishIsOneSided(t *testing.T) {
	overPlain(t, poll.Options{}, func(t *testing.T, w *world) {
		var got bytes.Buffer
		h := newHandler(func(_ poll.Conn, p []byte) error {
			got.Write(p)
			return nil
		})
		client := w.connect(h)
		h.conn.Finish()
		readFull(t, client, nil)
		if n, err := client.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Fatalf("read %d bytes, %v", n, err)
		}
		if _, err := io.WriteString(client, "one more thing"); err != nil {
			t.Fatal(err)
		}
		_ = client.Close()
		if err := h.reason(t); err != nil {
			t.Errorf("reason %v, want nil", err)
		}
		if got.String() != "one more thing" {
			t.Errorf("got %q", got.String())
		}
	})
}

func TestLinger(t *testing.T) {
	overAll(t, poll.Options{Linger: 50 * time.Millisecond, MaxQueue: 64 << 20}, func(t *testing.T, w *world) {
		for _, queued := range []int{0, 32 << 20} {
			h := newHandler(nil)
			w.connect(h) // whose client never ends
			if queued > 0 {
				mustSend(t, h.conn, noise(queued))
			}
			h.conn.Finish()
			if err := h.reason(t); !errors.Is(err, poll.ErrLinger) {
				t.Errorf("with %d bytes queued: reason %v, want ErrLinger", queued, err)
			}
		}
	})
}

// The end may come with the last data, in one event.
func TestDataTogetherWithEnd(t *testing.T) {
	overAll(t, poll.Options{}, func(t *testing.T, w *world) {
		for range 200 {
			var got bytes.Buffer
			h := newHandler(func(_ poll.Conn, p []byte) error {
				got.Write(p)
				return nil
			})
			client := w.connect(h)
			if _, err := io.WriteString(client, "the last words"); err != nil {
				t.Fatal(err)
			}
			_ = client.Close()
			if err := h.reason(t); !errors.Is(err, io.EOF) {
				t.Fatalf("reason %v, want io.EOF", err)
			}
			if got.String() != "the last words" {
				t.Fatalf("got %q", got.String())
			}
		}
	})
}

// A peer that ends its side still gets what was sent to it before.
func TestPeerEndsWhileBytesWait(t *testing.T) {
	overPlain(t, poll.Options{MaxQueue: 64 << 20}, func(t *testing.T, w *world) {
		h := newHandler(nil)
		client := w.connect(h)
		want := noise(8 << 20)
		mustSend(t, h.conn, want)
		if err := client.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the end is seen", func() bool {
			return errors.Is(h.conn.Send(poll.Frame{Data: []byte{'x'}, Volatile: true}), poll.ErrClosed)
		})
		_ = client.SetReadDeadline(time.Now().Add(patience))
		got, err := io.ReadAll(client)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("got %d bytes, want %d", len(got), len(want))
		}
		if err := h.reason(t); !errors.Is(err, io.EOF) {
			t.Errorf("reason %v, want io.EOF", err)
		}
	})
}

func TestReset(t *testing.T) {
	overPlain(t, poll.Options{}, func(t *testing.T, w *world) {
		if w.network != "tcp" {
			t.Skip("only TCP resets")
		}
		h := newHandler(nil)
		client := w.connect(h)
		reset(t, client)
		if err := h.reason(t); err == nil || !strings.Contains(err.Error(), "reset") {
			t.Errorf("reason %v", err)
		}
		if err := h.conn.Send(poll.Frame{Data: []byte("x")}); !errors.Is(err, poll.ErrClosed) {
			t.Errorf("Send returns %v", err)
		}
	})
}

func reset(t testing.TB, c net.Conn) {
	t.Helper()
	if err := c.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}

// What arrived before a write failed is delivered nevertheless.
func TestFailedWriteKeepsWhatArrived(t *testing.T) {
	overPlain(t, poll.Options{Loops: 1}, func(t *testing.T, w *world) {
		if w.network != "tcp" {
			t.Skip("only TCP resets")
		}
		// Another connection keeps the loop busy meanwhile.
		inside, release := make(chan struct{}), make(chan struct{})
		blocker := newHandler(func(poll.Conn, []byte) error {
			close(inside)
			<-release
			return nil
		})
		other := w.connect(blocker)
		var got bytes.Buffer
		h := newHandler(func(_ poll.Conn, p []byte) error {
			got.Write(p)
			return nil
		})
		client := w.connect(h)
		if _, err := io.WriteString(other, "x"); err != nil {
			t.Fatal(err)
		}
		<-inside
		if _, err := io.WriteString(client, "the last words"); err != nil {
			t.Fatal(err)
		}
		reset(t, client)
		eventually(t, "writing fails", func() bool {
			return errors.Is(h.conn.Send(poll.Frame{Data: []byte("x")}), poll.ErrClosed)
		})
		close(release)
		if err := h.reason(t); err == nil {
			t.Error("no reason")
		}
		if !w.portable && got.String() != "the last words" {
			t.Errorf("got %q", got.String())
		}
	})
}

func TestCloseFromWithin(t *testing.T) {
	wanted := errors.New("wanted")
	overAll(t, poll.Options{}, func(t *testing.T, w *world) {
		for name, h := range map[string]*handler{
			"error of Data": newHandler(func(poll.Conn, []byte) error { return wanted }),
			"Close in Data": newHandler(func(c poll.Conn, _ []byte) error {
				c.Close(wanted)
				c.Close(io.ErrNoProgress) // only the first counts
				return nil
			}),
			"Close in bind": {closed: make(chan error, 2), onBind: func(c poll.Conn) { c.Close(wanted) }},
		} {
			t.Run(name, func(t *testing.T) {
				client := w.connect(h)
				_, _ = io.WriteString(client, "x")
				if err := h.reason(t); !errors.Is(err, wanted) {
					t.Errorf("reason %v", err)
				}
				_ = client.SetReadDeadline(time.Now().Add(patience))
				if n, err := client.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("read %d bytes, %v", n, err)
				}
				if a := h.conn.RemoteAddr(); a != nil {
					t.Errorf("address %v of a closed connection", a)
				}
			})
		}
	})
}

func TestPanicInData(t *testing.T) {
	overAll(t, poll.Options{}, func(t *testing.T, w *world) {
		h := newHandler(nil)
		h.onData = func(poll.Conn, []byte) error { panic("a bug") }
		client := w.connect(h)
		_, _ = io.WriteString(client, "x")
		if err := h.reason(t); err == nil || !strings.Contains(err.Error(), "a bug") {
			t.Errorf("reason %v", err)
		}
		other := newHandler(echo)
		client = w.connect(other)
		_, _ = io.WriteString(client, "still there")
		readFull(t, client, make([]byte, len("still there")))
	})
}

func TestGroupClose(t *testing.T) {
	overAll(t, poll.Options{}, func(t *testing.T, w *world) {
		var handlers []*handler
		for range 50 {
			h := newHandler(nil)
			w.connect(h)
			handlers = append(handlers, h)
		}
		if n := w.group.Stats().Open; n != 50 {
			t.Errorf("%d open", n)
		}
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				if err := w.group.Close(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		for _, h := range handlers {
			select {
			case err := <-h.closed:
				if !errors.Is(err, poll.ErrClosed) {
					t.Errorf("reason %v", err)
				}
			default:
				t.Fatal("Close returned before Closed did")
			}
		}
		if n := w.group.Stats().Open; n != 0 {
			t.Errorf("%d open", n)
		}
		client, server := w.pair()
		err := w.group.Add(server, nil, func(poll.Conn) poll.Handler {
			t.Error("bind is called")
			return nil
		})
		if !errors.Is(err, poll.ErrClosed) {
			t.Errorf("Add returns %v", err)
		}
		_ = client.SetReadDeadline(time.Now().Add(patience))
		if _, err := client.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read returns %v: the connection is not closed", err)
		}
	})
}

// Close gives up waiting when its context is done.
func TestGroupCloseInTime(t *testing.T) {
	overAll(t, poll.Options{}, func(t *testing.T, w *world) {
		inside, release := make(chan struct{}), make(chan struct{})
		h := newHandler(func(poll.Conn, []byte) error {
			close(inside)
			<-release
			return nil
		})
		client := w.connect(h)
		_, _ = io.WriteString(client, "x")
		if w.secure {
			go func() { _, _ = client.Read(make([]byte, 1)) }()
		}
		<-inside
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := w.group.Close(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Close returns %v", err)
		}
		close(release)
	})
}

func TestRemoteAddr(t *testing.T) {
	overAll(t, poll.Options{}, func(t *testing.T, w *world) {
		client, server := w.pair()
		h := newHandler(nil)
		w.add(server, nil, h)
		if got, want := h.conn.RemoteAddr(), client.LocalAddr(); w.network == "tcp" && got.String() != want.String() {
			t.Errorf("address %v, want %v", got, want)
		} else if got.Network() != want.Network() {
			t.Errorf("network %v, want %v", got.Network(), want.Network())
		}
	})
}

func mustSend(t testing.TB, c poll.Conn, data []byte) {
	t.Helper()
	if err := c.Send(poll.Frame{Data: data}); err != nil {
		t.Fatal(err)
	}
}
