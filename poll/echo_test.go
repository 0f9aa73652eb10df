package poll_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

func echo(c poll.Conn, p []byte) error {
	return c.Send(poll.Frame{Data: bytes.Clone(p)})
}

func TestEcho(t *testing.T) {
	const size = 3 << 20
	overAll(t, poll.Options{MaxQueue: size}, func(t *testing.T, w *world) {
		h := newHandler(echo)
		client := w.connect(h)
		want := noise(size)
		written := make(chan error, 1)
		go func() {
			_, err := client.Write(want)
			written <- err
		}()
		got := make([]byte, len(want))
		readFull(t, client, got)
		if err := <-written; err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Fatal("the echo is not what was sent")
		}
		_ = client.Close()
		if err := h.reason(t); !errors.Is(err, io.EOF) {
			t.Errorf("reason %v, want io.EOF", err)
		}
	})
}

// What was read before comes first, and is copied.
func TestFirstBytes(t *testing.T) {
	overAll(t, poll.Options{}, func(t *testing.T, w *world) {
		client, server := w.pair()
		written := make(chan error, 1)
		go func() {
			_, err := client.Write([]byte(" and the rest"))
			written <- err
		}()
		if !w.secure { // the data is there before the connection is added
			if err := <-written; err != nil {
				t.Fatal(err)
			}
		}
		h := newHandler(echo)
		h.onBind = func(c poll.Conn) {
			if err := c.Send(poll.Frame{Data: []byte("hello: ")}); err != nil {
				t.Error(err)
			}
		}
		read := []byte("the first")
		w.add(server, read, h)
		clear(read)
		got := make([]byte, len("hello: the first and the rest"))
		readFull(t, client, got)
		if string(got) != "hello: the first and the rest" {
			t.Errorf("got %q", got)
		}
	})
}

func noise(n int) []byte {
	p := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(p)
	return p
}

func readFull(t testing.TB, c net.Conn, p []byte) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if n, err := io.ReadFull(c, p); err != nil {
		t.Fatalf("after %d of %d bytes: %v", n, len(p), err)
	}
}
