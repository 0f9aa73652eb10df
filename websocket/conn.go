package websocket

import (
	"net"
	"sync"
	"sync/atomic"

	"github.com/seed-09a96375/belfry/poll"
)

// Conn is one open WebSocket. Safe for concurrent use.
//
// There may be a million of them: it fills a 64 byte allocation exactly.
type Conn struct {
	pc poll.Conn
	h  Handler
	u  *Upgrader

	// in is what has arrived of an unfinished frame or message, else nil. Only
	// the calls of poll.Handler touch it.
	in *incoming

	// mu keeps frames from following the close frame.
	mu       sync.Mutex
	state    atomic.Uint32
	peerCode uint16 // of the peer's close frame, 0 before; owner as of in
	protocol uint8  // index in Options.Subprotocols + 1; 0: none
	deflate  bool
}

// Bits of Conn.state; none is ever taken back.
const (
	// closeSent: no frame may follow, no message is delivered.
	closeSent uint32 = 1 << iota
	// deaf: what arrives means nothing any more.
	deaf
)

// pongKey lets a newer pong replace one that waits for a slow peer.
const pongKey = 1<<64 - 1

func newConn(u *Upgrader, h Handshake, pc poll.Conn) *Conn {
	return &Conn{pc: pc, u: u, protocol: h.protocol, deflate: h.deflate != declined}
}

// Send writes f or queues it; it never blocks. f.Data is one or more complete
// frames without mask, as AppendFrame, PutHeader and CompressFrame build them;
// it is shared, never changed. Frames of CompressFrame may go only to
// connections whose Deflate is true. The Key 1<<64-1 is used here for pongs.
// Errors are those of poll.Conn.Send: poll.ErrClosed after Close or Terminate
// or once the peer began to close, poll.ErrSlow, poll.ErrDropped.
func (c *Conn) Send(f poll.Frame) error {
	c.mu.Lock()
	if c.state.Load()&closeSent != 0 {
		c.mu.Unlock()
		return poll.ErrClosed
	}
	err := c.pc.Send(f)
	c.mu.Unlock()
	return err
}

// PauseRead stops reading, so that the peer is slowed down by its full buffers.
// Messages that have arrived already in the same read, 64 KiB at most, may
// still come. Pings are not answered meanwhile. Close reads on by itself.
func (c *Conn) PauseRead() {
	if c.state.Load()&closeSent == 0 {
		c.pc.PauseRead()
	}
}

// ResumeRead reads on after PauseRead.
func (c *Conn) ResumeRead() { c.pc.ResumeRead() }

// Buffered returns the number of bytes that wait for the peer to read.
func (c *Conn) Buffered() int { return c.pc.Buffered() }

// RemoteAddr asks the kernel each time; nil once closed.
func (c *Conn) RemoteAddr() net.Addr { return c.pc.RemoteAddr() }

// Subprotocol returns the name that was agreed upon, empty if none was.
func (c *Conn) Subprotocol() string { return c.u.subprotocol(c.protocol) }

// Deflate reports whether permessage-deflate was agreed upon.
func (c *Conn) Deflate() bool { return c.deflate }

// Compresses reports whether a message of n bytes should be sent compressed:
// permessage-deflate was agreed upon and n reaches the threshold.
func (c *Conn) Compresses(n int) bool {
	return c.deflate && n >= c.u.o.Deflate.Threshold
}
