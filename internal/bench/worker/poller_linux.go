package worker

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// poller waits for sockets and for points in time. Not safe for concurrent use.
type poller struct {
	epoll  int
	timer  int
	events []unix.EpollEvent
}

// timerEvent stands for the timer where a client's number would.
const timerEvent = -1

func newPoller() (*poller, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make epoll: %w", err)
	}
	timer, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		_ = unix.Close(epoll)
		return nil, fmt.Errorf("make timer: %w", err)
	}
	p := &poller{epoll: epoll, timer: timer, events: make([]unix.EpollEvent, 2048)}
	if err := p.control(unix.EPOLL_CTL_ADD, timer, timerEvent, unix.EPOLLIN); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *poller) close() {
	_ = unix.Close(p.timer)
	_ = unix.Close(p.epoll)
}

// control adds a socket or changes what to wait for on it; client comes back
// with its events.
func (p *poller) control(op, fd, client int, events uint32) error {
	e := unix.EpollEvent{Events: events, Fd: int32(client)}
	if err := unix.EpollCtl(p.epoll, op, fd, &e); err != nil {
		return fmt.Errorf("watch socket: %w", err)
	}
	return nil
}

// ready returns the sockets that are ready, without waiting.
func (p *poller) ready() ([]unix.EpollEvent, error) { return p.wait(0) }

// until returns as soon as a socket is ready, or at time at of the monotonic
// clock, or somewhat earlier; now is the present time.
func (p *poller) until(at, now int64) ([]unix.EpollEvent, error) {
	const coarse = int64(time.Millisecond) // what epoll_wait can count
	if at-now > 2*coarse {
		return p.wait(int((at-now)/coarse) - 1) // the caller comes again for the rest
	}
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(at)}
	if err := unix.TimerfdSettime(p.timer, unix.TFD_TIMER_ABSTIME, &spec, nil); err != nil {
		return nil, fmt.Errorf("set timer: %w", err)
	}
	return p.wait(-1)
}

func (p *poller) wait(ms int) ([]unix.EpollEvent, error) {
	n, err := unix.EpollWait(p.epoll, p.events, ms)
	if err == unix.EINTR {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("wait for sockets: %w", err)
	}
	return p.events[:n], nil
}

// full reports whether more sockets may be ready than fitted.
func (p *poller) full(got []unix.EpollEvent) bool { return len(got) == len(p.events) }

// expired clears the timer after its event.
func (p *poller) expired() {
	var count [8]byte
	// Nothing to read means that the timer was set anew meanwhile.
	_, _ = unix.Read(p.timer, count[:])
}

// sleepUntil sleeps, without looking at sockets.
func sleepUntil(at int64) {
	ts := unix.NsecToTimespec(at)
	// EINTR ends the sleep early; the caller looks at the clock anyway.
	_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &ts, nil)
}

// rawRead and rawWrite call the kernel without telling the Go scheduler, which
// costs as much as the rest of a small call. The sockets never block.
func rawRead(fd int, p []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}

func rawWrite(fd int, p []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}
