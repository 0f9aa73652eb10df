package poll_test

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed-09a96375/belfry/poll"
)

// crowd is a number of senders that send to one connection at the same time.
type crowd struct {
	senders, count int
	frame          func(sender, number uint32) poll.Frame
	dropped        atomic.Int64 // ErrDropped
}

// send returns when all have sent everything.
func (c *crowd) send(t *testing.T, conn poll.Conn) {
	var all sync.WaitGroup
	for s := range uint32(c.senders) {
		all.Go(func() {
			for n := range uint32(c.count) {
				err := conn.Send(c.frame(s, n+1))
				switch {
				case errors.Is(err, poll.ErrDropped):
					c.dropped.Add(1)
				case err != nil:
					t.Errorf("sender %d, frame %d: %v", s, n+1, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// sizes mixes small frames with some that no socket takes at once.
func sizes(number uint32) int {
	if number%100 == 0 {
		return 100_000
	}
	return int(number % 300)
}

// readAll reads in small pieces until the stream ends.
func readAll(client net.Conn) (*ledger, error) {
	l := newLedger()
	err := l.read(client)
	return l, err
}

func TestOrderAndCompleteness(t *testing.T) {
	const senders, count = 8, 600
	overAll(t, poll.Options{MaxQueue: 1 << 30}, func(t *testing.T, w *world) {
		h := newHandler(nil)
		client := w.connect(h)
		if w.secure {
			handshake(t, client, h)
		}
		c := crowd{senders: senders, count: count, frame: func(s, n uint32) poll.Frame {
			return poll.Frame{Data: stamped(s, n, sizes(n))}
		}}
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			c.send(t, h.conn)
			h.conn.Finish()
		}()
		// The reader is slow: it begins when the kernel has no more room.
		eventually(t, "the queue fills", func() bool { return h.conn.Buffered() > 1<<20 })
		l, err := readAll(client)
		if err != nil {
			t.Fatal(err)
		}
		<-sent
		if err := l.complete(senders, count); err != nil {
			t.Error(err)
		}
		_ = client.Close()
		if err := h.reason(t); err != nil {
			t.Errorf("reason %v", err)
		}
	})
}

// handshake makes TLS ready, whose client otherwise does nothing until it reads.
func handshake(t *testing.T, client net.Conn, h *handler) {
	t.Helper()
	if err := client.(interface{ Handshake() error }).Handshake(); err != nil {
		t.Fatal(err)
	}
}

// With policies that drop, every frame is either delivered, in order, or
// counted as dropped.
func TestDroppingPolicies(t *testing.T) {
	const senders, count = 4, 3000
	for name, frame := range map[string]poll.Frame{
		"drop oldest": {Overflow: poll.DropOldest},
		"keep latest": {Overflow: poll.KeepLatest},
		"volatile":    {Volatile: true},
	} {
		t.Run(name, func(t *testing.T) {
			overAll(t, poll.Options{MaxQueue: 128 << 10}, func(t *testing.T, w *world) {
				h := newHandler(nil)
				client := w.connect(h)
				if w.secure {
					handshake(t, client, h)
				}
				c := crowd{senders: senders, count: count, frame: func(s, n uint32) poll.Frame {
					f := frame
					f.Key = uint64(s)
					f.Data = stamped(s, n, 1000)
					return f
				}}
				c.send(t, h.conn)
				h.conn.Finish()
				l, err := readAll(client)
				if err != nil {
					t.Fatal(err)
				}
				checkDrops(t, w.group.Stats(), &c, l)
				if frame.Overflow == poll.KeepLatest {
					for s := range uint32(senders) {
						if l.last(s) != count {
							t.Errorf("sender %d: the latest frame delivered is %d", s, l.last(s))
						}
					}
				}
			})
		})
	}
}

func checkDrops(t *testing.T, s poll.Stats, c *crowd, l *ledger) {
	t.Helper()
	inside := int(s.DroppedOldest + s.Replaced)
	refused := int(s.DroppedVolatile + s.DroppedOverflow)
	if int(c.dropped.Load()) != refused {
		t.Errorf("%d times ErrDropped, but %d counted", c.dropped.Load(), refused)
	}
	sent := c.senders * c.count
	if got := l.total() + inside + refused; got != sent {
		t.Errorf("%d delivered, %d dropped, %d refused: %d of %d", l.total(), inside, refused, got, sent)
	}
	if inside+refused == 0 {
		t.Error("nothing was dropped: the test did not test")
	}
}
