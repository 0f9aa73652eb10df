package poll

import (
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// engine is the part of a Group that uses epoll.
type engine struct {
	group   *Group
	began   time.Time
	loops   []*loop
	table   table
	next    atomic.Uint32  // the loop that gets the next connection
	iovecs  sync.Pool      // *[maxIovecs]syscall.Iovec
	running sync.WaitGroup // loops and collectors
}

func newEngine(g *Group) (*engine, error) {
	e := &engine{group: g, began: time.Now()}
	e.iovecs.New = func() any { return new([maxIovecs]syscall.Iovec) }
	for range g.opts.Loops {
		l, err := newLoop(e)
		if err != nil {
			for _, l := range e.loops {
				l.closeDescriptors()
			}
			return nil, err
		}
		e.loops = append(e.loops, l)
	}
	for _, l := range e.loops {
		e.running.Add(1)
		go l.run()
	}
	return e, nil
}

func (e *engine) since() time.Duration { return time.Since(e.began) }
func (e *engine) millis() uint32       { return uint32(e.since().Milliseconds()) }

// serves reports whether c is a plain stream socket.
func (e *engine) serves(c net.Conn) bool {
	switch c := c.(type) {
	case *net.TCPConn:
		return true
	case *net.UnixConn:
		return c.LocalAddr().Network() == "unix"
	}
	return false
}

func (e *engine) add(nc net.Conn, read []byte, bind func(Conn) Handler) error {
	fd, err := detach(nc)
	if err != nil {
		return err
	}
	if _, ok := nc.(*net.TCPConn); ok {
		setNotSentLowat(fd, e.group.opts.NotSentLowat)
	}
	l := e.loops[e.next.Add(1)%uint32(len(e.loops))]
	c := &conn{loop: l, fd: int32(fd)}
	c.state.Store(unbound)
	if !l.enter(c) {
		_ = unix.Close(fd)
		return ErrClosed
	}
	if err := l.watch(fd, connEvents); err != nil {
		l.forget(fd)
		l.left()
		return err
	}
	c.start(bind(c), read)
	return nil
}

// detach takes the socket out of c, and out of Go's own poller.
func detach(c net.Conn) (int, error) {
	defer c.Close()
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("detach connection: %w", err)
	}
	var fd int
	var dupErr error
	err = raw.Control(func(old uintptr) {
		if fd, dupErr = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0); dupErr != nil {
			return
		}
		if dupErr = unix.SetNonblock(fd, true); dupErr != nil {
			_ = unix.Close(fd)
		}
	})
	if err == nil {
		err = os.NewSyscallError("fcntl", dupErr)
	}
	if err != nil {
		return 0, fmt.Errorf("detach connection: %w", err)
	}
	return fd, nil
}

func (e *engine) closeAll() {
	for _, l := range e.loops {
		l.stop()
	}
	e.table.each(func(c *conn) { c.Close(ErrClosed) })
}

func (e *engine) wait() { e.running.Wait() }

func (e *engine) addTo(s *Stats) {
	for _, l := range e.loops {
		l.counts.addTo(s)
		s.Interval = max(s.Interval, time.Duration(l.pace.interval.Load())*time.Millisecond)
		l.mu.Lock()
		s.Open += int64(l.open)
		l.mu.Unlock()
	}
}

// peerAddr returns nil if the socket has no peer any more.
func peerAddr(fd int) net.Addr {
	sa, err := unix.Getpeername(fd)
	if err != nil {
		return nil
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return &net.TCPAddr{IP: net.IP(sa.Addr[:]), Port: sa.Port}
	case *unix.SockaddrInet6:
		return &net.TCPAddr{IP: net.IP(sa.Addr[:]), Port: sa.Port, Zone: zone(sa.ZoneId)}
	case *unix.SockaddrUnix:
		return &net.UnixAddr{Name: sa.Name, Net: "unix"}
	}
	return nil
}

func zone(id uint32) string {
	if id == 0 {
		return ""
	}
	if i, err := net.InterfaceByIndex(int(id)); err == nil {
		return i.Name
	}
	return fmt.Sprint(id)
}
