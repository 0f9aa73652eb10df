package poll

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// listener refuses clients when descriptors run out.
//
// Descriptors are numbered from the lowest free number, so the number of a new
// one tells how full the process's table is. If it is full altogether, one that
// is held in reserve is given up for as long as it takes to refuse a client.
type listener struct {
	net.Listener
	raw     syscall.RawConn
	opts    ListenOptions
	ceiling int // descriptors from here on are headroom

	lack    sync.Mutex // one Accept at a time deals with a full table
	reserve int        // under lack; -1: none

	mu       sync.Mutex
	refusing map[net.Conn]struct{}
	closed   bool
	refusals sync.WaitGroup
}

const (
	// refuseTime is how long a refused client may take to read its answer.
	refuseTime = time.Second
	// reserveRetry is the pause when even the reserve is lost.
	reserveRetry = 10 * time.Millisecond
	// reserveWait bounds how long Close may have to wait.
	reserveWait = 50 * time.Millisecond
)

func guard(ln net.Listener, o ListenOptions) (net.Listener, error) {
	raw, err := ln.(syscall.Conn).SyscallConn()
	if err != nil {
		_ = ln.Close()
		return nil, fmt.Errorf("listen: %w", err)
	}
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		_ = ln.Close()
		return nil, fmt.Errorf("read RLIMIT_NOFILE: %w", err)
	}
	l := &listener{Listener: ln, raw: raw, opts: o, reserve: -1, refusing: make(map[net.Conn]struct{})}
	limit := int(min(r.Cur, 1<<30))
	l.ceiling = limit - min(max(0, o.Headroom), limit/8)
	l.holdReserve()
	return l, nil
}

// Accept waits for a client that can be served.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		switch {
		case err == nil && l.hasRoom(c):
			return c, nil
		case err == nil:
			l.refuse(c)
		case errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE):
			if c, err := l.acceptFull(); c != nil || err != nil {
				return c, err
			}
		default:
			return nil, err
		}
	}
}

func (l *listener) hasRoom(c net.Conn) bool {
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		return false
	}
	room := false
	err = raw.Control(func(fd uintptr) { room = int(fd) < l.ceiling })
	return err == nil && room
}

// refuse answers and closes without making Accept wait. The client gets time to
// send its request: bytes that come for a closed socket would reset the
// connection and might take the answer with them.
func (l *listener) refuse(c net.Conn) {
	l.opts.Refused()
	_ = c.SetDeadline(time.Now().Add(refuseTime))
	_, _ = c.Write(l.opts.Refusal)
	if !l.beginRefusal(c) {
		_ = c.Close()
		return
	}
	go func() {
		defer l.refusals.Done()
		if h, ok := c.(interface{ CloseWrite() error }); ok {
			_ = h.CloseWrite()
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(c, readSize))
		l.endRefusal(c)
	}()
}

// beginRefusal fails if half of the headroom is in use for this.
func (l *listener) beginRefusal(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.refusing) >= l.opts.Headroom/2 {
		return false
	}
	l.refusing[c] = struct{}{}
	l.refusals.Add(1)
	return true
}

func (l *listener) endRefusal(c net.Conn) {
	_ = c.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.refusing, c)
}

// acceptFull waits for the next client while the table of descriptors is full,
// and refuses it. If there is room by then it returns the connection. Neither
// connection nor error: try again.
func (l *listener) acceptFull() (net.Conn, error) {
	l.lack.Lock()
	defer l.lack.Unlock()
	fd, acceptErr := -1, error(unix.EAGAIN)
	for acceptErr == unix.EAGAIN {
		err := l.raw.Control(func(ln uintptr) { fd, acceptErr = l.acceptOnReserve(int(ln)) })
		if err != nil {
			return nil, err // the listener is closed
		}
	}
	switch {
	case acceptErr == unix.EMFILE || acceptErr == unix.ENFILE:
		l.holdReserve()
		<-time.After(reserveRetry)
		return nil, nil
	case acceptErr != nil: // the client is gone already
		l.holdReserve()
		return nil, nil
	}
	return l.decide(fd), nil
}

// decide returns the connection if there is room by now, else it refuses.
func (l *listener) decide(fd int) net.Conn {
	f := os.NewFile(uintptr(fd), "accepted")
	if l.holdReserve() && fd < l.ceiling {
		if c, err := net.FileConn(f); err == nil {
			_ = f.Close()
			return c
		}
	}
	l.opts.Refused()
	refuseNow(fd, l.opts.Refusal)
	_ = f.Close()
	l.holdReserve()
	return nil
}

// acceptOnReserve waits a moment for a client; EAGAIN: none came. accept(2) does
// not tell while the table is full, so this asks poll(2) before it gives up the
// reserve.
func (l *listener) acceptOnReserve(ln int) (int, error) {
	wait := []unix.PollFd{{Fd: int32(ln), Events: unix.POLLIN}}
	if n, err := unix.Poll(wait, int(reserveWait.Milliseconds())); err != nil || n == 0 {
		return -1, unix.EAGAIN
	}
	l.freeReserve()
	fd, _, err := unix.Accept4(ln, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if err == unix.EAGAIN {
		l.holdReserve()
	}
	return fd, err
}

// refuseNow answers. What the client has sent so far is read, so that closing
// does not reset the connection.
func refuseNow(fd int, answer []byte) {
	if len(answer) > 0 {
		_, _ = sysWrite(fd, answer)
	}
	_ = unix.Shutdown(fd, unix.SHUT_WR)
	var sink [4 << 10]byte
	_, _ = unix.Read(fd, sink[:])
}

// holdReserve reports whether there is a reserve.
func (l *listener) holdReserve() bool {
	if l.reserve < 0 {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return false
		}
		l.reserve = fd
	}
	return true
}

func (l *listener) freeReserve() {
	if l.reserve >= 0 {
		_ = unix.Close(l.reserve)
		l.reserve = -1
	}
}

// Close also ends refusals under way, and waits for them.
func (l *listener) Close() error {
	err := l.Listener.Close()
	l.mu.Lock()
	l.closed = true
	for c := range l.refusing {
		_ = c.Close()
	}
	l.mu.Unlock()
	l.refusals.Wait()
	l.lack.Lock()
	defer l.lack.Unlock()
	l.freeReserve()
	return err
}
