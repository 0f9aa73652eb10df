package websocket

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

func TestEcho(t *testing.T) {
	eachCarrier(t, Options{}, poll.Options{}, func(t *testing.T, s *testServer) {
		c := s.open(t, "", nil)
		for _, n := range []int{0, 1, 125, 126, 65535, 65536, 200_000, 1_000_000} {
			payload := bytes.Repeat([]byte{'p'}, n)
			c.send(t, clientFrame(fin|2, payload))
			c.expect(t, Binary, payload)
		}
		c.send(t, clientFrame(1, []byte("in ")))
		c.send(t, clientFrame(fin|9, []byte("ping")))
		c.expect(t, Pong, []byte("ping"))
		c.send(t, clientFrame(fin, []byte("parts")))
		c.expect(t, Text, []byte("in parts"))
		c.send(t, clientFrame(fin|8, []byte{0x03, 0xE8}))
		if got := string(c.rest(t)); got != "\x88\x02\x03\xE8" {
			t.Errorf("last bytes %x", got)
		}
	})
}

// TestCorpusOverSockets is TestCorpus over every carrier. The client ends its
// side after its last byte; the server must have said everything before it ends.
func TestCorpusOverSockets(t *testing.T) {
	o := Options{Deflate: &DeflateOptions{}}
	eachCarrier(t, o, poll.Options{}, func(t *testing.T, s *testServer) {
		opened := s.watched()
		for i, tt := range readCorpus(t) {
			if s.http.TLS != nil && i%8 != 0 {
				continue // handshakes take most of the time
			}
			t.Run(tt.Rule+" "+tt.Name, func(t *testing.T) {
				lines := ""
				if tt.Deflate {
					lines = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
				}
				c := s.open(t, lines, nil)
				c.send(t, unhex(t, tt.In))
				c.endWriting(t)
				if got, want := c.rest(t), unhex(t, tt.Sent); !bytes.Equal(got, want) {
					t.Errorf("server sent %x, want %x", got, want)
				}
				w := <-opened
				w.wait(t)
				tt.checkReceived(t, &w.recorder)
			})
		}
	})
}

func TestServerCloses(t *testing.T) {
	eachCarrier(t, Options{}, poll.Options{}, func(t *testing.T, s *testServer) {
		opened := s.watched()
		c := s.open(t, "", nil)
		w := <-opened
		big := AppendFrame(nil, Binary, make([]byte, 500_000))
		if err := w.conn.Send(poll.Frame{Data: big}); err != nil {
			t.Fatal(err)
		}
		w.conn.Close(4000, "bye")
		c.expect(t, Binary, make([]byte, 500_000))
		c.expect(t, closing, []byte("\x0F\xA0bye"))
		c.send(t, clientFrame(fin|8, []byte("\x0F\xA0")))
		if rest := c.rest(t); len(rest) != 0 {
			t.Errorf("after the close frame came %x", rest)
		}
		w.wait(t)
		if w.code != 4000 || w.err != nil {
			t.Errorf("Closed(%d, %v)", w.code, w.err)
		}
	})
}

// TestPeerNeverAnswersClose: the linger time of the poller ends the wait.
func TestPeerNeverAnswersClose(t *testing.T) {
	eachCarrier(t, Options{}, poll.Options{Linger: 50 * time.Millisecond}, func(t *testing.T, s *testServer) {
		opened := s.watched()
		s.open(t, "", nil)
		w := <-opened
		w.conn.Close(CloseNormal, "")
		w.wait(t)
		if w.code != CloseAbnormal || !errors.Is(w.err, poll.ErrLinger) {
			t.Errorf("Closed(%d, %v)", w.code, w.err)
		}
	})
}

// TestCloseWhilePaused: the peer's answer is read although reading was paused.
func TestCloseWhilePaused(t *testing.T) {
	eachCarrier(t, Options{}, poll.Options{}, func(t *testing.T, s *testServer) {
		opened := s.watched()
		c := s.open(t, "", nil)
		w := <-opened
		w.conn.PauseRead()
		w.conn.Close(CloseNormal, "")
		c.expect(t, closing, []byte("\x03\xE8"))
		c.send(t, clientFrame(fin|8, []byte("\x03\xE8")))
		c.endWriting(t)
		w.wait(t)
		if w.code != CloseNormal || w.err != nil {
			t.Errorf("Closed(%d, %v)", w.code, w.err)
		}
	})
}

// TestPauseAndResume: what arrives meanwhile is delivered afterwards, whole.
func TestPauseAndResume(t *testing.T) {
	o, p := Options{MaxMessage: 4 << 20}, poll.Options{Loops: 1}
	eachCarrier(t, o, p, func(t *testing.T, s *testServer) {
		h := &pausing{paused: make(chan struct{})}
		s.accept = func(c *Conn) Handler {
			h.echo.conn = c
			return h
		}
		c := s.open(t, "", nil)
		c.send(t, textFrame("pause"))
		<-h.paused
		var sent sync.WaitGroup
		sent.Go(func() { c.Write(clientFrame(fin|2, make([]byte, 2<<20))) })
		// Another connection's echo gives a poller that does not pause the time
		// to show it.
		s.accept = func(c *Conn) Handler { return &echo{conn: c} }
		other := s.open(t, "", nil)
		other.send(t, textFrame("other"))
		other.expect(t, Text, []byte("other"))

		h.resumed.Store(true)
		h.conn.ResumeRead()
		c.expect(t, Binary, make([]byte, 2<<20))
		sent.Wait()
		if h.early.Load() {
			t.Error("delivered while paused")
		}
	})
}

// pausing is an echo that pauses when it is told to.
type pausing struct {
	echo
	paused         chan struct{}
	resumed, early atomic.Bool
}

func (h *pausing) Message(op Opcode, p []byte) error {
	if string(p) == "pause" {
		h.conn.PauseRead()
		close(h.paused)
		return nil
	}
	h.early.Store(!h.resumed.Load())
	return h.echo.Message(op, p)
}

// TestManyConnections: openings, messages and closings from both sides at once.
func TestManyConnections(t *testing.T) {
	const workers, rounds = 8, 10
	eachCarrier(t, Options{}, poll.Options{Linger: 5 * time.Second}, func(t *testing.T, s *testServer) {
		var mu sync.Mutex
		var all []*watch
		s.accept = func(c *Conn) Handler {
			w := newWatch(c)
			w.react = func(op Opcode, p []byte) error {
				err := c.Send(poll.Frame{Data: AppendFrame(nil, op, p)})
				if p[0]%2 == 0 {
					c.Close(CloseNormal, "")
				}
				return err
			}
			mu.Lock()
			all = append(all, w)
			mu.Unlock()
			return w
		}
		t.Run("clients", func(t *testing.T) {
			for i := range workers {
				t.Run(fmt.Sprint(i), func(t *testing.T) {
					t.Parallel()
					s.visit(t, byte(i), rounds)
				})
			}
		})
		mu.Lock()
		defer mu.Unlock()
		for _, w := range all {
			w.wait(t)
			if w.closed != 1 || w.code != CloseNormal || w.err != nil {
				t.Errorf("Closed(%d, %v) %d times", w.code, w.err, w.closed)
			}
		}
		if len(all) != workers*rounds {
			t.Errorf("%d connections", len(all))
		}
	})
}

// visit opens connections one after the other; each sends a message, gets it
// back, and closes, often at the same time as the server.
func (s *testServer) visit(t *testing.T, id byte, rounds int) {
	for i := range rounds {
		c := s.open(t, "", nil)
		message := append([]byte{id}, bytes.Repeat([]byte{id}, i)...)
		c.send(t, clientFrame(fin|2, message))
		c.expect(t, Binary, message)
		c.send(t, clientFrame(fin|8, []byte("\x03\xE8")))
		if got := string(c.rest(t)); got != "\x88\x02\x03\xE8" {
			t.Errorf("last bytes %x", got)
		}
		c.Close()
	}
}
