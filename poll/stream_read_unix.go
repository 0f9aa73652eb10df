//go:build unix

package poll

import (
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// readOn reads until the end. A plain socket waits without a buffer.
func (s *stream) readOn() {
	switch c := s.nc.(type) {
	case *net.TCPConn:
		s.readReady(c)
	case *net.UnixConn:
		s.readReady(c)
	default:
		s.readInto()
	}
}

// readReady takes a buffer only when there is something to read.
func (s *stream) readReady(c syscall.Conn) {
	raw, err := c.SyscallConn()
	if err != nil {
		s.Close(fmt.Errorf("read: %w", err))
		return
	}
	pool := &s.group.streams.buffers
	var buf *[streamBuffer]byte
	var n int
	var readErr error
	attempt := func(fd uintptr) bool {
		buf = pool.Get().(*[streamBuffer]byte)
		n, readErr = unix.Read(int(fd), buf[:])
		for readErr == unix.EINTR {
			n, readErr = unix.Read(int(fd), buf[:])
		}
		if readErr == unix.EAGAIN {
			pool.Put(buf)
			return false
		}
		return true
	}
	for s.mayRead() {
		if err := raw.Read(attempt); err != nil {
			s.Close(fmt.Errorf("read: %w", err))
			return
		}
		switch {
		case readErr != nil:
			s.Close(os.NewSyscallError("read", readErr))
		case n == 0:
			s.peerEnded()
		default:
			s.arrived(buf[:n], nil)
		}
		pool.Put(buf)
	}
}
