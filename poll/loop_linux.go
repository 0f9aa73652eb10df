package poll

import (
	"encoding/binary"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// loop serves its connections in one goroutine: it reads, calls handlers, goes
// on with writing where the kernel had no room, and closes.
type loop struct {
	pace      pace // first: what every Send reads
	_         [64]byte
	counts    writeCounters
	_         [64]byte
	collector collector

	engine *engine
	group  *Group
	epfd   int
	wakefd int // eventfd: interrupts the waiting

	// Of the goroutine alone.
	buf    []byte // lent to handlers
	events []unix.EpollEvent
	again  []*conn // were cut short in favour of others
	batch  []*conn // are being attended to
	busy   bool    // there was something to do lately

	mu       sync.Mutex
	inbox    []*conn // wait to be attended to
	open     int     // connections
	asleep   bool    // waiting, or about to
	stopping bool
	gone     bool
}

const (
	readSize = 64 << 10
	// readRounds bounds the buffers that one connection gets before others.
	readRounds  = 4
	eventsRound = 256
	// keepInbox bounds the memory that stays after many were closed at once.
	keepInbox = 1024

	connEvents = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET
	endEvents  = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
)

func newLoop(e *engine) (*loop, error) {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	wakefd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(epfd)
		return nil, os.NewSyscallError("eventfd", err)
	}
	l := &loop{
		engine: e, group: e.group, epfd: epfd, wakefd: wakefd,
		buf:    make([]byte, readSize),
		events: make([]unix.EpollEvent, eventsRound),
	}
	l.pace.setUp(e.group.opts)
	// Edge-triggered: every write to it wakes, and it need not be read.
	if err := l.watch(wakefd, unix.EPOLLIN|unix.EPOLLET); err != nil {
		l.closeDescriptors()
		return nil, err
	}
	return l, nil
}

func (l *loop) watch(fd int, events uint32) error {
	ev := unix.EpollEvent{Events: events, Fd: int32(fd)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(l.epfd, unix.EPOLL_CTL_ADD, fd, &ev))
}

// rewatch changes the events and reports those that are there already. It does
// not fail for a descriptor that is watched.
func (l *loop) rewatch(fd int, events uint32) {
	ev := unix.EpollEvent{Events: events, Fd: int32(fd)}
	_ = unix.EpollCtl(l.epfd, unix.EPOLL_CTL_MOD, fd, &ev)
}

// enter takes c in unless the loop is to stop.
func (l *loop) enter(c *conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopping {
		return false
	}
	l.open++
	l.engine.table.set(int(c.fd), c)
	return true
}

// forget closes a descriptor. The entry in the table goes first: the number may
// be another's as soon as it is closed. It leaves epoll explicitly, for a child
// process may share the open file until it executes.
func (l *loop) forget(fd int) {
	l.engine.table.set(fd, nil)
	_ = unix.EpollCtl(l.epfd, unix.EPOLL_CTL_DEL, fd, nil)
	_ = unix.Close(fd)
}

func (l *loop) left() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
}

func (l *loop) run() {
	defer l.engine.running.Done()
	for !l.over() {
		for _, ev := range l.events[:l.wait()] {
			if c := l.engine.table.get(int(ev.Fd)); c != nil {
				l.ready(c, ev.Events)
			}
		}
		l.readAgain()
		l.attend()
	}
	l.closeDescriptors()
}

// over reports whether the loop has nothing to do any more, ever.
func (l *loop) over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = l.deserted()
	return l.gone
}

// isOver is over for others than the loop itself.
func (l *loop) isOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.gone
}

// deserted is called under mu.
func (l *loop) deserted() bool { return l.stopping && l.open == 0 }

// wait returns the number of events. While there is work it asks without
// blocking, which spares the way through Go's scheduler, but first lets the
// goroutines run that handlers may have started.
func (l *loop) wait() int {
	if l.busy || len(l.again) > 0 {
		runtime.Gosched()
		n := sysEpollNow(l.epfd, l.events)
		if n > 0 || len(l.again) > 0 {
			return n
		}
	}
	if !l.fallAsleep() {
		return 0
	}
	n, err := unix.EpollWait(l.epfd, l.events, -1)
	l.awake()
	if err != nil { // EINTR
		return 0
	}
	l.busy = true
	return n
}

// fallAsleep fails if there is something to do.
func (l *loop) fallAsleep() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asleep = len(l.inbox) == 0 && !l.deserted()
	l.busy = false
	return l.asleep
}

// awake spares posts the wake-up call from now on: the inbox is looked at before
// the loop waits again.
func (l *loop) awake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asleep = false
}

// wake is called under mu.
func (l *loop) wake() {
	if l.asleep && !l.gone {
		l.asleep = false
		var one [8]byte
		binary.NativeEndian.PutUint64(one[:], 1)
		_, _ = unix.Write(l.wakefd, one[:])
	}
}

// post has c attended to soon.
func (l *loop) post(c *conn) {
	if c.state.Or(posted)&posted != 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inbox = append(l.inbox, c)
	l.wake()
}

// attend serves who was posted.
func (l *loop) attend() {
	l.mu.Lock()
	l.batch, l.inbox = l.inbox, l.batch[:0]
	l.mu.Unlock()
	for _, c := range l.batch {
		l.serve(c)
	}
	clear(l.batch)
	if cap(l.batch) > keepInbox {
		l.batch = nil
	}
}

func (l *loop) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopping = true
	l.wake()
}

func (l *loop) closeDescriptors() {
	_ = unix.Close(l.wakefd)
	_ = unix.Close(l.epfd)
}
