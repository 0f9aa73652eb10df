package poll_test

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

// collecting is a world in which frames are collected for o.MaxCoalesce.
func collecting(t *testing.T, o poll.Options) *world {
	w := newWorld(t, way{network: "tcp"}, o)
	w.group.CollectAlways()
	h := newHandler(nil)
	client := w.connect(h)
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(io.Discard, client)
	}()
	for w.group.Stats().Interval < o.MaxCoalesce {
		mustSend(t, h.conn, []byte("x"))
	}
	eventually(t, "all is written", func() bool { return h.conn.Buffered() == 0 })
	t.Cleanup(func() {
		_ = client.Close()
		<-read
	})
	return w
}

// Collected frames come complete and in order, and in fewer calls.
func TestCollecting(t *testing.T) {
	const senders, count, conns = 4, 2000, 20
	w := collecting(t, poll.Options{MaxCoalesce: 50 * time.Millisecond, Loops: 1, MaxQueue: 1 << 30})
	var handlers []*handler
	var clients []net.Conn
	for range conns {
		h := newHandler(nil)
		clients = append(clients, w.connect(h))
		handlers = append(handlers, h)
	}
	before := w.group.Stats()
	var all sync.WaitGroup
	for i, h := range handlers {
		c := crowd{senders: senders, count: count, frame: func(s, n uint32) poll.Frame {
			return poll.Frame{Data: stamped(s, n, int(n%100))}
		}}
		all.Go(func() {
			c.send(t, h.conn)
			h.conn.Finish()
		})
		all.Go(func() {
			l, err := readAll(clients[i])
			if err != nil {
				t.Error(err)
				return
			}
			if err := l.complete(senders, count); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	after := w.group.Stats()
	frames, writes := after.Frames-before.Frames, after.Writes-before.Writes
	if frames != senders*count*conns {
		t.Errorf("%d frames counted, want %d", frames, senders*count*conns)
	}
	if frames < 10*writes {
		t.Errorf("%d frames in %d calls", frames, writes)
	}
}

// The first frame goes at once, the next waits for its time, not for others.
func TestCollectedFrameComesInTime(t *testing.T) {
	w := collecting(t, poll.Options{MaxCoalesce: 30 * time.Millisecond, Loops: 1})
	h := newHandler(nil)
	client := w.connect(h)
	mustSend(t, h.conn, []byte("1"))
	if n := h.conn.Buffered(); n != 0 {
		t.Errorf("%d bytes of the first frame wait", n)
	}
	// Frames that wait for others do not make the peer a slow one.
	if err := h.conn.Send(poll.Frame{Data: []byte("2"), Volatile: true}); err != nil {
		t.Error(err)
	}
	got := make([]byte, 2)
	readFull(t, client, got)
	if string(got) != "12" {
		t.Errorf("got %q", got)
	}
}

// Finish does not wait for the collecting to end.
func TestFinishWhileCollecting(t *testing.T) {
	w := collecting(t, poll.Options{MaxCoalesce: 100 * time.Millisecond, Loops: 1})
	h := newHandler(nil)
	client := w.connect(h)
	for h.conn.Buffered() == 0 {
		mustSend(t, h.conn, []byte("x"))
	}
	h.conn.Finish()
	if n := h.conn.Buffered(); n != 0 {
		t.Errorf("%d bytes wait", n)
	}
	_ = client.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadAll(client); err != nil {
		t.Error(err)
	}
}

// A queue that is full before it is time is written at once.
func TestCollectingIsBounded(t *testing.T) {
	w := collecting(t, poll.Options{MaxCoalesce: 50 * time.Millisecond, Loops: 1, MaxQueue: 100})
	h := newHandler(nil)
	client := w.connect(h)
	const frames = 100
	got := make(chan error, 1)
	go func() {
		_, err := io.ReadFull(client, make([]byte, frames*60))
		got <- err
	}()
	for range frames {
		mustSend(t, h.conn, make([]byte, 60))
		if n := h.conn.Buffered(); n > 100 {
			t.Fatalf("%d bytes wait", n)
		}
	}
	if err := <-got; err != nil {
		t.Error(err)
	}
}

// Connections that die while they wait to be written harm no others.
func TestNoCrossTalkWhileCollecting(t *testing.T) {
	w := collecting(t, poll.Options{MaxCoalesce: 3 * time.Millisecond})
	runCrossTalk(t, w, 8, 100)
}

// What waits to be collected does not keep a group from closing.
func TestCloseWhileCollecting(t *testing.T) {
	w := collecting(t, poll.Options{MaxCoalesce: 100 * time.Millisecond, Loops: 1})
	var handlers []*handler
	for range 20 {
		h := newHandler(nil)
		w.connect(h)
		mustSend(t, h.conn, []byte("1"))
		mustSend(t, h.conn, []byte("2"))
		handlers = append(handlers, h)
	}
	if err := w.group.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, h := range handlers {
		if err := h.reason(t); !errors.Is(err, poll.ErrClosed) {
			t.Errorf("reason %v", err)
		}
	}
}
