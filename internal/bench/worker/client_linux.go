package worker

import (
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"github.com/seed-09a96375/belfry/internal/bench/dialect"
	"github.com/seed-09a96375/belfry/internal/bench/frame"
)

// state is how far a client is. The order matters: see client.ready.
type state uint8

const (
	idle       state = iota // not begun
	connecting              // TCP connection under way
	shaking                 // WebSocket handshake under way
	greeting                // session of the dialect under way
	ready                   // may send
	closed
)

// client is one connection.
type client struct {
	fd      int
	state   state
	joined  bool  // got the ack of its join
	waiting bool  // for room in the kernel's buffer
	dirty   bool  // is in loop.dirty
	begun   int64 // when the connection attempt began
	peer    int   // which of dialer.peers it connects to
	// partial is what arrived of a frame, whole what arrived of a message in
	// several frames, out what is still to be written.
	partial, whole, out []byte
}

// live reports whether the client has a socket.
func (c *client) live() bool { return c.state > idle && c.state < closed }

// handle does what the kernel says is possible on a client's socket.
func (l *loop) handle(i int, events uint32) {
	c := &l.clients[i]
	if c.state == connecting {
		l.dialer.dialed(i)
		return
	}
	if events&unix.EPOLLOUT != 0 {
		l.flush(i)
	}
	if events&^unix.EPOLLOUT != 0 && c.live() {
		l.read(i)
	}
}

// read takes what arrived on a client, behind what arrived before of a frame
// that was not complete.
func (l *loop) read(i int) {
	c := &l.clients[i]
	for c.live() {
		if len(c.partial) > len(l.buffer)/2 {
			l.buffer = make([]byte, 2*len(l.buffer))
		}
		old := copy(l.buffer, c.partial)
		n, errno := rawRead(c.fd, l.buffer[old:])
		switch {
		case errno == unix.EAGAIN:
			return
		case errno == unix.EINTR:
			continue
		case errno != 0:
			l.lose(i, errno)
			return
		case n == 0:
			l.lose(i, io.EOF)
			return
		}
		l.judge.read = l.clock.Now()
		if err := l.take(i, l.buffer[:old+n]); err != nil {
			l.lose(i, err)
			return
		}
		if old+n < len(l.buffer) {
			return
		}
	}
}

// take reads the bytes of a client and keeps those that are not a whole frame.
func (l *loop) take(i int, p []byte) error {
	c := &l.clients[i]
	if c.state == shaking {
		n, err := l.dialer.shaken(i, p)
		if err != nil {
			return err
		}
		if n == 0 {
			c.partial = append(c.partial[:0], p...)
			return nil
		}
		p = p[n:]
	}
	read := l.frames
	if l.publishes(i) {
		read = l.answers
	}
	rest, err := read(i, p)
	c.partial = append(c.partial[:0], rest...)
	return err
}

// frames handles whole frames and returns what is left.
func (l *loop) frames(i int, p []byte) (rest []byte, err error) {
	for l.clients[i].live() {
		f, n, err := frame.Next(p)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errProtocol, err)
		}
		if n == 0 {
			return p, nil
		}
		p = p[n:]
		if err := l.frame(i, f); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// frame handles one frame: a control frame, or a part of a message.
func (l *loop) frame(i int, f frame.Frame) error {
	c := &l.clients[i]
	switch {
	case f.Op == frame.Close:
		return io.EOF
	case f.Op == frame.Ping:
		l.write(i, frame.Pong, f.Data)
		return nil
	case f.Op.Control():
		return nil
	case f.Fin && len(c.whole) == 0:
		return l.message(i, f.Data)
	}
	if len(c.whole)+len(f.Data) > frame.MaxData {
		return frame.ErrTooLong
	}
	c.whole = append(c.whole, f.Data...)
	if !f.Fin {
		return nil
	}
	err := l.message(i, c.whole)
	c.whole = c.whole[:0]
	return err
}

// message handles one WebSocket message.
func (l *loop) message(i int, p []byte) error {
	for len(p) > 0 {
		e, rest := l.speak.Parse(p)
		if err := l.event(i, e); err != nil {
			return err
		}
		p = rest
	}
	return nil
}

func (l *loop) event(i int, e dialect.Event) error {
	switch e.Kind {
	case dialect.Message:
		l.judge.arrived(i, e.Payload)
		l.returner.reached(i, e.Offset)
	case dialect.Ack:
		l.acked(i, e)
	case dialect.Ping:
		l.write(i, frame.Text, e.Payload)
	case dialect.Open:
		l.dialer.hello(i)
	case dialect.Connected:
		l.dialer.ready(i, e.Payload)
	case dialect.Refused:
		if l.phase != connectPhase {
			return errRefused
		}
		l.fail(connectFault(l.dialer.target(i), fmt.Errorf("%w: %s", errRefused, e.Payload)))
	case dialect.Closed:
		return io.EOF
	case dialect.Bad:
		return errProtocol
	case dialect.Other:
	}
	return nil
}

// acked handles an answer: of a join, or of an echo.
func (l *loop) acked(i int, e dialect.Event) {
	switch {
	case l.clients[i].state != ready:
	case l.set.Echo:
		l.judge.echoed(i, e)
	default:
		l.joiner.acked(i)
	}
}

// request queues a request of a client.
func (l *loop) request(i int, r dialect.Request) {
	l.scratch = l.speak.Append(l.scratch[:0], r)
	l.write(i, frame.Text, l.scratch)
}

// write queues one frame; it leaves at the end of the turn.
func (l *loop) write(i int, op frame.Op, data []byte) {
	c := &l.clients[i]
	c.out = frame.Append(c.out, op, l.random.Uint32(), data)
	l.soil(i)
}

// soil has the queue of a client written at the end of the turn.
func (l *loop) soil(i int) {
	if c := &l.clients[i]; !c.dirty {
		c.dirty = true
		l.dirty = append(l.dirty, i)
	}
}

// flushAll writes what was queued during this turn.
func (l *loop) flushAll() {
	for _, i := range l.dirty {
		l.clients[i].dirty = false
		l.flush(i)
	}
	l.dirty = l.dirty[:0]
}

// flush writes as much of a client's queue as the kernel takes.
func (l *loop) flush(i int) {
	c := &l.clients[i]
	for c.live() && len(c.out) > 0 {
		n, errno := rawWrite(c.fd, c.out)
		switch {
		case errno == unix.EINTR:
			continue
		case errno == unix.EAGAIN:
			l.watch(i, true)
			return
		case errno != 0:
			l.lose(i, errno)
			return
		}
		c.out = c.out[:copy(c.out, c.out[n:])]
	}
	if c.waiting {
		l.watch(i, false)
	}
}

// watch waits for arrivals on a client, and for room to write if so wanted.
func (l *loop) watch(i int, room bool) {
	c := &l.clients[i]
	events := uint32(unix.EPOLLIN | unix.EPOLLRDHUP)
	if room {
		events |= unix.EPOLLOUT
	}
	c.waiting = room
	if err := l.poller.control(unix.EPOLL_CTL_MOD, c.fd, i, events); err != nil {
		l.lose(i, err)
	}
}

// lose ends a client whose connection broke. Before the run that is a fault.
func (l *loop) lose(i int, err error) {
	c := &l.clients[i]
	if !c.live() {
		return
	}
	c.state = closed
	_ = unix.Close(c.fd)
	if l.phase == connectPhase || l.phase == joinPhase {
		l.fail(connectFault(l.dialer.target(i), err))
		return
	}
	if l.returner.leave(i) {
		return
	}
	l.lost++
}
