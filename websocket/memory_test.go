package websocket

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/seed-09a96375/belfry/poll"
)

// memoryConn is a poll.Conn without a network: the test is the peer. Its
// handler is called by the test's own goroutine.
type memoryConn struct {
	h poll.Handler

	mu       sync.Mutex
	sent     []byte
	frames   []poll.Frame
	buffered int // what Buffered says
	paused   bool
	finished bool
	closed   bool
	err      error
	ended    bool

	before, after func(poll.Frame) // called around each Send, if set
}

func (c *memoryConn) Send(f poll.Frame) error {
	if c.before != nil {
		c.before(f)
	}
	if err := c.keep(f); err != nil {
		return err
	}
	if c.after != nil {
		c.after(f)
	}
	return nil
}

func (c *memoryConn) keep(f poll.Frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished || c.closed {
		return poll.ErrClosed
	}
	c.sent = append(c.sent, f.Data...)
	c.frames = append(c.frames, f)
	return nil
}

func (c *memoryConn) Buffered() int        { return c.buffered }
func (c *memoryConn) PauseRead()           { c.paused = true }
func (c *memoryConn) ResumeRead()          { c.paused = false }
func (c *memoryConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 7} }

func (c *memoryConn) Finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finished = true
}

func (c *memoryConn) Close(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed, c.err = true, err
	}
}

// data is what a poller does with what it has read.
func (c *memoryConn) data(p []byte) {
	if c.closed {
		return
	}
	if err := c.h.Data(p); err != nil {
		c.Close(err)
	}
}

// end is what a poller does when the peer has ended the stream.
func (c *memoryConn) end() {
	if c.ended {
		return
	}
	c.ended = true
	err := c.err
	if !c.closed && !c.finished {
		err = io.EOF
	}
	c.h.Closed(err)
}

// memoryPoller makes a memoryConn of everything that it is given.
type memoryPoller struct{ conns []*memoryConn }

func (p *memoryPoller) Add(_ net.Conn, read []byte, bind func(poll.Conn) poll.Handler) error {
	c := new(memoryConn)
	c.h = bind(c)
	p.conns = append(p.conns, c)
	c.data(read)
	return nil
}

// received is a message as a recorder keeps it.
type received struct {
	op   Opcode
	data string
}

// recorder is a Handler that remembers everything.
type recorder struct {
	conn     *Conn
	messages []received
	pongs    []string
	code     int
	err      error
	closed   int
	// react, if set, decides what Message returns.
	react func(op Opcode, p []byte) error
}

func (r *recorder) Message(op Opcode, p []byte) error {
	r.messages = append(r.messages, received{op, string(p)})
	if r.react != nil {
		return r.react(op, p)
	}
	return nil
}

func (r *recorder) Pong(p []byte) { r.pongs = append(r.pongs, string(p)) }

func (r *recorder) Closed(code int, err error) {
	r.code, r.err = code, err
	r.closed++
}

// memoryPair returns a Conn with a recorder and, as its peer, a memoryConn.
func memoryPair(t testing.TB, o Options, h Handshake) (*recorder, *memoryConn) {
	t.Helper()
	p := new(memoryPoller)
	o.Poller = p
	u, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	r := new(recorder)
	r.conn, err = u.add(nil, nil, h, func(*Conn) Handler { return r })
	if err != nil {
		t.Fatal(err)
	}
	return r, p.conns[0]
}
