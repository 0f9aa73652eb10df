package poll_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seed-09a96375/belfry/poll"
)

const drainEnv = "POLL_TEST_DRAIN"

// drain is the process that holds the clients of a benchmark: it connects and
// reads what comes, every few milliseconds, so that the sender pays for no
// wake-ups. It ends when its input does.
func drain(spec string) error {
	var addr string
	var n int
	if _, err := fmt.Sscan(spec, &n, &addr); err != nil {
		return err
	}
	epfd, err := unix.EpollCreate1(0)
	if err != nil {
		return err
	}
	for i := range n {
		fd, err := dialRaw(addr, i)
		if err != nil {
			return err
		}
		ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
		if err := unix.EpollCtl(epfd, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
			return err
		}
	}
	fmt.Println("connected")
	go drainAll(epfd)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// dialRaw returns the descriptor of client i's connection.
func dialRaw(addr string, i int) (int, error) {
	network, dialer := "unix", net.Dialer{}
	if !strings.HasPrefix(addr, "/") {
		// Sources of its own, lest the ports of one address run out.
		pid := os.Getpid()
		network, dialer.LocalAddr = "tcp", &net.TCPAddr{IP: net.IPv4(127, byte(1+pid>>8%250), byte(pid), byte(2+i/10000))}
		dialer.Control = lateBind
	}
	c, err := dialer.Dial(network, addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		return 0, err
	}
	var fd int
	var dupErr error
	if err := raw.Control(func(old uintptr) { fd, dupErr = unix.Dup(int(old)) }); err != nil {
		return 0, err
	}
	return fd, dupErr
}

func drainAll(epfd int) {
	events := make([]unix.EpollEvent, 1024)
	buf := make([]byte, 256<<10)
	pause := time.NewTicker(3 * time.Millisecond)
	for {
		n, _ := unix.EpollWait(epfd, events, 0)
		for _, ev := range events[:max(0, n)] {
			if got, _ := unix.Read(int(ev.Fd), buf); got == 0 {
				_ = unix.Close(int(ev.Fd))
			}
		}
		if n < len(events) {
			<-pause.C
		}
	}
}

// lateBind leaves the choice of the port to connect(2), which may take one that
// is in use towards another address: thousands of clients come and go here.
func lateBind(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	})
	return errors.Join(err, failed)
}

// startDrain connects n clients of a drain process to ln and returns the
// server's ends.
func startDrain(t testing.TB, ln net.Listener, n int) []net.Conn {
	return startClients(t, ln, n, fmt.Sprintf("%s=%d %s", drainEnv, n, ln.Addr()))
}

// startClients starts a process with the given variable in its environment,
// which makes it connect n clients to ln, and returns the server's ends.
func startClients(t testing.TB, ln net.Listener, n int, env string) []net.Conn {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), env)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	// A process that fails says so on standard error; nobody waits for it.
	type deadliner interface{ SetDeadline(time.Time) error }
	if err := ln.(deadliner).SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	conns := make([]net.Conn, n)
	for i := range conns {
		if conns[i], err = ln.Accept(); err != nil {
			t.Fatal(err)
		}
	}
	line := make([]byte, 64)
	if m, _ := out.Read(line); !strings.HasPrefix(string(line[:m]), "connected") {
		t.Fatalf("drain process says %q", line[:m])
	}
	return conns
}

// cpuTime is what the process has used, in user and in kernel mode.
func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// audience is a group with n draining clients.
func audience(t testing.TB, network string, n int, o poll.Options) (*world, []poll.Conn) {
	w := newWorld(t, way{network: network, portable: o.Portable}, o)
	conns := make([]poll.Conn, 0, n)
	for _, c := range startDrain(t, w.ln, n) {
		h := newHandler(nil)
		w.add(c, nil, h)
		conns = append(conns, h.conn)
	}
	return w, conns
}
