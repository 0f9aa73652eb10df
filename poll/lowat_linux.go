package poll

import (
	"net"

	"golang.org/x/sys/unix"
)

// setNotSentLowat bounds what the kernel takes for a peer that does not read. A
// socket that refuses works nevertheless.
func setNotSentLowat(fd, bytes int) {
	if bytes > 0 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, bytes)
	}
}

// boundKernel is setNotSentLowat for a connection that stays a net.Conn.
func boundKernel(c net.Conn, bytes int) {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return
	}
	if raw, err := t.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { setNotSentLowat(int(fd), bytes) })
	}
}
