package poll_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/seed-09a96375/belfry/poll"
)

// Many short connections, closed from all sides at all times, with sends going
// on to dead ones: no byte of one may ever arrive at another, whose descriptor
// may have the same number.
func TestNoCrossTalk(t *testing.T) {
	overPlain(t, poll.Options{}, func(t *testing.T, w *world) {
		rounds := 250
		if w.portable {
			rounds = 50
		}
		runCrossTalk(t, w, 8, rounds)
	})
}

func runCrossTalk(t *testing.T, w *world, workers, rounds int) {
	x := &crossTalk{t: t, w: w}
	before := w.group.Stats().Open
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		x.accept(workers * rounds)
	}()
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			for j := range rounds {
				if t.Failed() {
					return
				}
				x.visit(uint32(i*rounds+j+1), j%5)
			}
		})
	}
	all.Wait()
	_ = w.ln.Close()
	<-accepting
	eventually(t, "all connections are closed", func() bool { return w.group.Stats().Open == before })
}

type crossTalk struct {
	t *testing.T
	w *world

	mu   sync.Mutex
	dead []poll.Conn // the last ones, to which others go on sending
}

// accept serves connections whose first 4 bytes are their id: each gets its id
// again and again and must never be sent another.
func (x *crossTalk) accept(n int) {
	for range n {
		server, err := x.w.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			x.t.Error(err)
			return
		}
		s := &visitor{x: x}
		if err := x.w.group.Add(server, nil, s.bind); err != nil {
			x.t.Error(err)
		}
	}
}

// visitor is the server's side of a connection.
type visitor struct {
	x    *crossTalk
	conn poll.Conn
	got  []byte
	sent sync.WaitGroup
}

func (v *visitor) bind(c poll.Conn) poll.Handler {
	v.conn = c
	return v
}

func (v *visitor) Data(p []byte) error {
	greeted := len(v.got) >= 4
	v.got = append(v.got, p...)
	if len(v.got) < 4 {
		return nil
	}
	id := binary.BigEndian.Uint32(v.got)
	if err := onlyID(v.got, id); err != nil {
		v.x.t.Errorf("server: %v", err)
	}
	if !greeted {
		v.sent.Go(func() { v.x.flood(v.conn, id) })
	}
	return nil
}

func (v *visitor) Closed(error) { v.x.bury(v.conn) }

// flood sends, and ends the connection in one of several ways, then sends on.
func (x *crossTalk) flood(c poll.Conn, id uint32) {
	frame := poll.Frame{Data: make([]byte, 400)}
	for i := 0; i < len(frame.Data); i += 4 {
		binary.BigEndian.PutUint32(frame.Data[i:], id)
	}
	for i := range 40 {
		if i == 20 {
			switch id % 4 {
			case 0:
				c.Close(io.ErrClosedPipe)
			case 1:
				c.Finish()
			case 2:
				c.PauseRead()
				c.ResumeRead()
			}
		}
		_ = c.Send(frame)
		_ = x.anyDead().Send(frame)
	}
	c.RemoteAddr()
	c.Finish()
}

func (x *crossTalk) bury(c poll.Conn) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.dead = append(x.dead[max(0, len(x.dead)-20):], c)
}

type nobody struct{ poll.Conn }

func (nobody) Send(poll.Frame) error { return nil }

func (x *crossTalk) anyDead() poll.Conn {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.dead) == 0 {
		return nobody{}
	}
	return x.dead[0]
}

// visit is the client's side.
func (x *crossTalk) visit(id uint32, way int) {
	c, err := net.Dial(x.w.network, x.w.ln.Addr().String())
	if err != nil {
		x.t.Error(err)
		return
	}
	defer c.Close()
	var hello [4]byte
	binary.BigEndian.PutUint32(hello[:], id)
	_, _ = c.Write(hello[:])
	buf := make([]byte, 4096)
	var got []byte
	for i := 0; ; i++ {
		n, err := c.Read(buf)
		got = append(got, buf[:n]...)
		if err := onlyID(got, id); err != nil {
			x.t.Errorf("client: %v", err)
		}
		if err != nil || (i == 2 && way == 0) {
			return
		}
		if i == 1 && way == 1 && x.w.network == "tcp" {
			reset(x.t, c)
			return
		}
		if way == 2 {
			_, _ = c.Write(hello[:])
		}
	}
}

func onlyID(p []byte, id uint32) error {
	for ; len(p) >= 4; p = p[4:] {
		if other := binary.BigEndian.Uint32(p); other != id {
			return fmt.Errorf("connection %d got bytes of %d", id, other)
		}
	}
	return nil
}

// The check of foreign bytes must notice them.
func TestCrossTalkCheckNotices(t *testing.T) {
	if onlyID([]byte{0, 0, 0, 7, 0, 0, 0, 7}, 7) != nil {
		t.Error("own bytes are reported")
	}
	if onlyID([]byte{0, 0, 0, 7, 0, 0, 0, 8}, 7) == nil {
		t.Error("foreign bytes go unnoticed")
	}
}
