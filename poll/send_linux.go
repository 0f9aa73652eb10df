package poll

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/seed-09a96375/belfry/poll/cork"
)

const (
	// heldFrames and heldBytes end the collecting of frames early: by then one
	// call for all of them is about as cheap as it gets.
	heldFrames = 64
	heldBytes  = 32 << 10
	// maxIovecs bounds one writev.
	maxIovecs = 128
)

// Send implements Conn.
func (c *conn) Send(f Frame) error {
	c.mu.Lock()
	err := c.send(f)
	c.mu.Unlock()
	return err
}

// send is called under mu, as is what it calls.
func (c *conn) send(f Frame) error {
	switch {
	case c.state.Load()&mute != 0:
		return ErrClosed
	case len(f.Data) == 0:
		return nil
	case c.waiting():
		return c.sendBehind(f)
	case len(f.Data) < heldBytes && (c.loop.early(c) && c.hold() || c.cork(f.Cork)):
		c.backlog().append(f)
		return nil
	}
	n, errno := c.loop.write(int(c.fd), f.Data)
	if n == len(f.Data) {
		return nil
	}
	return c.sendRest(f, n, errno)
}

// waiting reports whether frames wait to be written.
func (c *conn) waiting() bool { return c.out != nil && !c.out.empty() }

// sendRest deals with a frame that the kernel did not take whole.
func (c *conn) sendRest(f Frame, n int, errno syscall.Errno) error {
	if errno != 0 && errno != syscall.EAGAIN && errno != syscall.EINTR {
		c.fail(errno)
		return ErrClosed
	}
	if n == 0 && f.Volatile {
		c.loop.group.drops.volatile.Add(1)
		return ErrDropped
	}
	b := c.backlog()
	b.append(f)
	b.advance(n)
	if errno == syscall.EINTR {
		c.flush()
		return nil
	}
	c.setStuck()
	return nil
}

// sendBehind queues f behind others.
func (c *conn) sendBehind(f Frame) error {
	limit := c.loop.group.opts.MaxQueue
	if c.state.Load()&stuck != 0 {
		return c.sendSlow(f, limit)
	}
	if !c.out.fits(len(f.Data), limit) {
		c.flush()
		return c.send(f)
	}
	c.out.append(f)
	if c.out.frames >= heldFrames || c.out.size >= heldBytes || !c.loop.collects() && !c.cork(f.Cork) {
		c.flush()
	}
	return nil
}

// sendSlow queues f for a peer that does not keep up.
func (c *conn) sendSlow(f Frame, limit int) error {
	drops := &c.loop.group.drops
	if f.Volatile {
		drops.volatile.Add(1)
		return ErrDropped
	}
	err := c.out.push(f, true, limit, drops)
	if errors.Is(err, ErrSlow) {
		drops.slow.Add(1)
		c.close(ErrSlow)
	}
	return err
}

// hold has what is queued from now on wait for others.
func (c *conn) hold() bool {
	if c.state.Or(held)&held == 0 {
		c.loop.collect(c)
	}
	return true
}

// cork reports whether a frame may wait for what comes with it.
func (c *conn) cork(k *cork.Cork) bool {
	if k == nil {
		return false
	}
	if c.state.Load()&corked == 0 {
		if !k.Hold(c) {
			return false
		}
		c.state.Or(corked)
	}
	return true
}

// Uncork implements cork.Holder. Frames that wait for another reason go on waiting.
func (c *conn) Uncork() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.And(^uint32(corked))&(held|stuck) == 0 && c.waiting() {
		c.flush()
	}
}

// flushHeld ends the collecting if it is time. If not, for c was written
// meanwhile, it returns when that was. In milliseconds of the loop's clock.
func (c *conn) flushHeld(now, interval uint32) (last uint32, done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting() && c.state.Load()&stuck == 0 {
		if now-c.last < interval {
			return c.last, false
		}
		c.last = now
		c.flush()
	}
	c.state.And(^uint32(held))
	return 0, true
}

// flush writes what waits until nothing is left or the kernel has no room.
func (c *conn) flush() {
	for !c.out.empty() {
		n, want, errno := c.loop.writeQueue(int(c.fd), &c.out.queue)
		switch {
		case errno == syscall.EINTR:
		case errno != 0 && errno != syscall.EAGAIN:
			c.fail(errno)
			return
		case n < want:
			c.setStuck()
			return
		}
	}
	c.clearStuck()
	if c.state.Load()&finishing != 0 {
		c.endSending()
		return
	}
	c.release()
}

// setStuck has the loop hear of room. EPOLLOUT is on only while it is wanted: a
// Unix socket would tell of room whenever its peer reads, a TCP socket once to
// begin with and then along with everything that arrives.
func (c *conn) setStuck() {
	if c.state.Or(stuck)&stuck == 0 {
		c.loop.rewatch(int(c.fd), connEvents|unix.EPOLLOUT)
	}
}

func (c *conn) clearStuck() {
	if c.state.And(^uint32(stuck))&stuck != 0 {
		c.loop.rewatch(int(c.fd), connEvents)
	}
}

// flushStuck goes on where the kernel had no room.
func (c *conn) flushStuck() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Load()&stuck != 0 && c.waiting() {
		c.flush()
	}
}
