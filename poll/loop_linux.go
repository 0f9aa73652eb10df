package poll

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

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
	file   *os.File // the epoll instance
	epfd   int      // its descriptor
	wakefd int      // eventfd: interrupts the waiting

	// Of the goroutine alone.
	waiting syscall.RawConn    // of file
	poll    func(uintptr) bool // take
	came    int                // events, when take was called last
	rounds  int                // without waiting
	buf     []byte             // lent to handlers
	events  []unix.EpollEvent
	again   []*conn // were cut short in favour of others
	batch   []*conn // are being attended to

	mu       sync.Mutex
	inbox    []*conn // wait to be attended to
	conns    int     // open ones
	asleep   bool    // waiting, or about to
	stopping bool
	gone     bool
}

const (
	readSize = 64 << 10
	// readRounds bounds the buffers that one connection gets before others.
	readRounds  = 4
	eventsRound = 256
	yieldRounds = 4
	// keepInbox bounds the memory that stays after many were closed at once.
	keepInbox = 1024

	connEvents = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET
	endEvents  = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
)

func newLoop(e *engine) (*loop, error) {
	l := &loop{
		engine: e, group: e.group, epfd: -1, wakefd: -1,
		buf:    make([]byte, readSize),
		events: make([]unix.EpollEvent, eventsRound),
	}
	l.pace.setUp(e.group.opts)
	if err := l.open(); err != nil {
		l.closeDescriptors()
		return nil, err
	}
	return l, nil
}

// open makes the epoll instance and hands it to Go's poller: waiting there is
// cheaper, for few events and for the time until they are handled, than a
// thread that is blocked in epoll_wait.
func (l *loop) open() (err error) {
	if l.epfd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(l.epfd, true); err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	l.file = os.NewFile(uintptr(l.epfd), "epoll")
	if err := l.file.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("wait for epoll: %w", err)
	}
	if l.waiting, err = l.file.SyscallConn(); err != nil {
		return fmt.Errorf("wait for epoll: %w", err)
	}
	l.poll = l.take
	if l.wakefd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	// Edge-triggered: every write to it wakes, and it need not be read.
	return l.watch(l.wakefd, unix.EPOLLIN|unix.EPOLLET)
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
	l.conns++
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
	l.conns--
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
func (l *loop) deserted() bool { return l.stopping && l.conns == 0 }

// wait returns the number of events. If there are always some it lets the
// goroutines run now and then that handlers may have started.
func (l *loop) wait() int {
	if l.rounds++; l.rounds >= yieldRounds {
		l.rounds = 0
		runtime.Gosched()
	}
	if len(l.again) > 0 || !l.fallAsleep() {
		return sysEpollNow(l.epfd, l.events)
	}
	_ = l.waiting.Read(l.poll) // fails for a closed file only
	l.awake()
	return l.came
}

// take is what waiting calls, until there are events; it parks the goroutine in
// between.
func (l *loop) take(uintptr) bool {
	l.came = sysEpollNow(l.epfd, l.events)
	if l.came == 0 {
		l.rounds = 0
	}
	return l.came > 0
}

// fallAsleep fails if there is something to do.
func (l *loop) fallAsleep() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asleep = len(l.inbox) == 0 && !l.deserted()
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
	if l.wakefd >= 0 {
		_ = unix.Close(l.wakefd)
	}
	if l.file != nil {
		_ = l.file.Close()
	}
}
