package poll

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// The reading side of a loop, in the loop's goroutine.

// ready acts on an event.
func (l *loop) ready(c *conn, ev uint32) {
	if ev&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) != 0 {
		c.flushStuck()
	}
	if ev&(unix.EPOLLIN|endEvents) != 0 && l.read(c, ev&endEvents != 0) {
		l.again = append(l.again, c)
	}
}

// read reads and delivers until the socket is empty; it reports whether there
// may be more, left for the next round. A read that does not fill the buffer
// has emptied the socket, unless the stream may have ended as well (toEnd):
// then no further event would tell of the end.
func (l *loop) read(c *conn, toEnd bool) (more bool) {
	for range readRounds {
		if !c.mayRead() {
			return false
		}
		n, errno := sysRead(int(c.fd), l.buf)
		switch {
		case errno == syscall.EINTR:
			continue
		case errno == syscall.EAGAIN:
			return false
		case errno != 0:
			c.Close(os.NewSyscallError("read", errno))
			return false
		case n == 0:
			c.peerEnded()
			return false
		}
		if err := l.group.deliver(c.h, l.buf[:n]); err != nil {
			c.Close(err)
			return false
		}
		if n < len(l.buf) && !toEnd {
			return false
		}
	}
	return true
}

// readAgain goes on with those that had more than one round's share.
func (l *loop) readAgain() {
	n := len(l.again)
	for _, c := range l.again[:n] {
		if l.read(c, true) {
			l.again = append(l.again, c)
		}
	}
	rest := copy(l.again, l.again[n:])
	clear(l.again[rest:])
	l.again = l.again[:rest]
}

// serve does what c was posted for.
func (l *loop) serve(c *conn) {
	s := c.state.And(^uint32(posted))
	if s&unbound != 0 || c.fd < 0 {
		return // Add posts it again; buried already
	}
	if s&primed != 0 && s&(paused|closed) == 0 {
		l.deliverFirst(c)
	}
	if s&broken != 0 {
		l.readLast(c)
	} else if s&unread != 0 && s&paused == 0 {
		c.state.And(^uint32(unread))
		if l.read(c, true) {
			l.again = append(l.again, c)
		}
	}
	if c.state.Load()&closed != 0 {
		reason := c.bury()
		l.group.tellClosed(c.h, reason)
		c.h = nil
		l.left()
	}
}

// deliverFirst delivers what was read before the connection came here.
func (l *loop) deliverFirst(c *conn) {
	c.mu.Lock()
	first := c.out.first
	c.out.first = nil
	c.release()
	c.mu.Unlock()
	c.state.And(^uint32(primed))
	if err := l.group.deliver(c.h, first); err != nil {
		c.Close(err)
	}
}

// readLast delivers what arrived before a write failed, and closes.
func (l *loop) readLast(c *conn) {
	for l.read(c, true) {
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.close(c.out.reason)
}
