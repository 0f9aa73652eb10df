package websocket

import (
	"net"

	"github.com/seed-09a96375/belfry/poll"
)

// Conn is one open WebSocket. Safe for concurrent use.
type Conn struct {
	pc poll.Conn
}

// Send writes f or queues it; it never blocks. f.Data is one or more complete
// frames without mask, as AppendFrame, PutHeader and CompressFrame build them;
// it is shared, never changed. Frames of CompressFrame may go only to
// connections whose Deflate is true. The Key 1<<64-1 is used here for pongs.
// Errors are those of poll.Conn.Send: poll.ErrClosed after Close or Terminate
// or once the peer began to close, poll.ErrSlow, poll.ErrDropped.
func (c *Conn) Send(f poll.Frame) error { return c.pc.Send(f) }

// Close begins the close handshake: what was sent before still goes out, then
// a close frame, then the end of the stream. The connection is over once the
// peer has answered or ended, or after the linger time of the poller. Code 0
// and 1005 send a close frame without code and reason. A reason beyond 123
// bytes is cut. A code that RFC 6455 section 7.4 does not allow in a frame is
// sent as 1011. Only the first call counts. Handler.Message is not called any
// more, unless it runs already.
func (c *Conn) Close(code int, reason string) {}

// Terminate ends the connection at once, without a close frame; queued bytes
// are lost. err goes to Handler.Closed.
func (c *Conn) Terminate(err error) { c.pc.Close(err) }

// PauseRead stops reading, so that the peer is slowed down by its full buffers.
// Messages that have arrived already in the same read, 64 KiB at most, may
// still come. Pings are not answered meanwhile. Close reads on by itself.
func (c *Conn) PauseRead() { c.pc.PauseRead() }

// ResumeRead reads on after PauseRead.
func (c *Conn) ResumeRead() { c.pc.ResumeRead() }

// Buffered returns the number of bytes that wait for the peer to read.
func (c *Conn) Buffered() int { return c.pc.Buffered() }

// RemoteAddr asks the kernel each time; nil once closed.
func (c *Conn) RemoteAddr() net.Addr { return c.pc.RemoteAddr() }

// Subprotocol returns the name that was agreed upon, empty if none was.
func (c *Conn) Subprotocol() string { return "" }

// Deflate reports whether permessage-deflate was agreed upon.
func (c *Conn) Deflate() bool { return false }

// Compresses reports whether a message of n bytes should be sent compressed:
// permessage-deflate was agreed upon and n reaches the threshold.
func (c *Conn) Compresses(n int) bool { return false }
