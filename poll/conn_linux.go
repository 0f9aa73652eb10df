package poll

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// conn is a connection in an epoll loop: 64 bytes while idle.
//
// The descriptor is closed by the loop alone, after the round's events, and
// under mu: so no event, read or write can meet a number that stands for
// another connection by then. Others only change the state and post.
type conn struct {
	mu    sync.Mutex
	state atomic.Uint32
	fd    int32 // -1 once closed; changed by the loop, under mu
	loop  *loop
	h     Handler  // set by Add; the loop's from then on
	out   *backlog // under mu; nil while there is none
	last  uint32   // under mu: the loop's clock at the last write
}

// The bits of conn.state. A bit that says "under mu" is set and cleared under
// mu; all may be read without.
const (
	unbound   = 1 << iota // bind has not returned: the loop does not touch the conn
	primed                // backlog.first is to be delivered before anything is read
	paused                // PauseRead
	unread                // an event passed while nothing could be read
	posted                // in the loop's inbox
	stuck                 // the kernel had no room: waits for EPOLLOUT. Under mu
	held                  // in the list of those that collect frames. Under mu
	corked                // held by a Cork. Under mu
	finishing             // the sending side ends with the queue. Under mu
	ended                 // the peer's side has ended. Under mu
	broken                // a write failed; what has arrived is still delivered. Under mu
	closed                // to be buried by the loop. Under mu
)

const (
	mute = finishing | broken | closed // no more Sends
	deaf = unbound | primed | paused   // no reading now
)

// start makes c ready once its handler is known. read is copied.
func (c *conn) start(h Handler, read []byte) {
	c.h = h
	if len(read) > 0 {
		c.mu.Lock()
		c.backlog().first = append([]byte(nil), read...)
		c.state.Or(primed | unread)
		c.mu.Unlock()
	}
	if c.state.And(^uint32(unbound))&(unread|broken|closed) != 0 {
		c.loop.post(c)
	}
}

func (c *conn) Buffered() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out == nil {
		return 0
	}
	return c.out.size
}

func (c *conn) PauseRead() { c.state.Or(paused) }

func (c *conn) ResumeRead() {
	if s := c.state.And(^uint32(paused)); s&(unread|primed) != 0 && s&closed == 0 {
		c.loop.post(c)
	}
}

// mayRead reports whether the loop may read now; if not now but later, it
// leaves a note for ResumeRead.
func (c *conn) mayRead() bool {
	s := c.state.Load()
	if s&deaf != 0 {
		s = c.state.Or(unread)
	}
	return s&(deaf|ended|closed) == 0
}

// peerEnded is for the loop: the stream has no more to read.
func (c *conn) peerEnded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state.Or(ended)
	switch {
	case s&(broken|closed) != 0:
	case c.waiting():
		// The peer may still read: it gets what was sent before its end was seen.
		if s&finishing == 0 {
			c.beginFinish(io.EOF)
		}
		if s&stuck == 0 {
			c.flush()
		}
	case s&finishing != 0:
		c.close(nil)
	default:
		c.close(io.EOF)
	}
}

func (c *conn) Finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state.Load()
	if s&mute != 0 {
		return
	}
	c.beginFinish(nil)
	switch {
	case !c.waiting():
		c.endSending()
	case s&stuck == 0:
		c.flush()
	}
}

// beginFinish is called under mu.
func (c *conn) beginFinish(reason error) {
	b := c.backlog()
	b.reason = reason
	b.linger = time.AfterFunc(c.loop.group.opts.Linger, func() { c.Close(ErrLinger) })
	c.state.Or(finishing)
}

// endSending is called under mu when a finishing conn has an empty queue.
func (c *conn) endSending() {
	if c.state.Load()&ended != 0 {
		c.close(c.out.reason)
		return
	}
	// An error means that the peer has reset; the loop hears of that itself.
	_ = unix.Shutdown(int(c.fd), unix.SHUT_WR)
}

func (c *conn) Close(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.close(err)
}

// close is called under mu.
func (c *conn) close(err error) {
	if c.state.Load()&closed == 0 {
		c.end(closed, err)
	}
}

// fail is called under mu when a write did not work. The peer may have sent
// something before it went, so the loop reads on and closes then.
func (c *conn) fail(errno syscall.Errno) {
	if c.state.Load()&(broken|closed) == 0 {
		c.end(broken, os.NewSyscallError("write", errno))
	}
}

func (c *conn) end(how uint32, reason error) {
	b := c.backlog()
	b.queue.reset()
	b.reason = reason
	c.state.Or(how)
	c.loop.post(c)
}

// backlog returns c.out, a new one if there is none. Called under mu.
func (c *conn) backlog() *backlog {
	if c.out == nil {
		c.out = c.loop.group.borrow()
	}
	return c.out
}

// release gives the backlog back if nothing is in it. Called under mu.
func (c *conn) release() {
	if c.out != nil && c.out.spare() && c.state.Load()&(finishing|broken|closed) == 0 {
		c.loop.group.giveBack(c.out)
		c.out = nil
	}
}

// bury closes the descriptor and returns why. Called by the loop.
func (c *conn) bury() (reason error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loop.forget(int(c.fd))
	c.fd = -1
	if c.out.linger != nil {
		c.out.linger.Stop()
	}
	reason = c.out.reason
	c.loop.group.giveBack(c.out)
	c.out = nil
	return reason
}

func (c *conn) RemoteAddr() net.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fd < 0 {
		return nil
	}
	return peerAddr(int(c.fd))
}
