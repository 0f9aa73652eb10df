package floor

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/seed-09a96375/belfry/internal/bench/stamp"
	"github.com/seed-09a96375/belfry/internal/bench/worker"
)

// Run serves one run of the floor: it listens on a free port of 127.0.0.1 and
// reports it, accepts all clients of the plan in the first order, OpSetup,
// reports that, and writes between OpStart and OpStop. It ends with OpQuit or
// the end of in.
func Run(in io.Reader, out io.Writer) error {
	enc := json.NewEncoder(out)
	err := run(json.NewDecoder(in), enc)
	if err != nil {
		fault := new(worker.Fault)
		if !errors.As(err, &fault) {
			fault = &worker.Fault{Text: "floor: " + err.Error()}
		}
		// Nobody is left to tell if this fails.
		_ = enc.Encode(worker.Report{Op: worker.OpFailed, Fault: fault})
	}
	return err
}

func run(orders *json.Decoder, out *json.Encoder) error {
	var first worker.Order
	if err := orders.Decode(&first); err != nil {
		return fmt.Errorf("read the first order: %w", err)
	}
	if first.Setup == nil {
		return fmt.Errorf("the first order is %q: want %q", first.Op, worker.OpSetup)
	}
	f := &floor{set: *first.Setup, clock: stamp.NewClock(), out: out}
	f.filling = stamp.Filling(f.set.Seed, f.set.Size)
	defer f.close()
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }() // listen may have closed it
	ops, done := make(chan worker.Op), make(chan struct{})
	defer close(done)
	go listen(orders, ops, done, l)
	if err := f.accept(l); err != nil {
		return err
	}
	return f.serve(ops)
}

// listen passes on the names of orders until OpQuit, the end, or done. Then it
// closes l, for whoever still waits for clients.
func listen(orders *json.Decoder, ops chan<- worker.Op, done <-chan struct{}, l net.Listener) {
	defer l.Close()
	defer close(ops)
	for {
		var o worker.Order
		if orders.Decode(&o) != nil || o.Op == worker.OpQuit {
			return
		}
		select {
		case ops <- o.Op:
		case <-done:
			return
		}
	}
}

// floor is one run.
type floor struct {
	writer
	set   worker.Setup
	clock stamp.Clock
	out   *json.Encoder
	rooms [][]int // sockets
	sent  []uint32
	next  int // the number of the next message, over all rooms

	running bool
	start   int64
}

// accept takes in all clients of the plan.
func (f *floor) accept(l *net.TCPListener) error {
	if err := f.report(worker.Report{Op: worker.OpSetup, Addr: l.Addr().String()}); err != nil {
		return err
	}
	f.rooms = make([][]int, f.set.Plan.Rooms)
	f.sent = make([]uint32, f.set.Plan.Rooms)
	for range f.set.Plan.Clients {
		if err := f.admit(l); err != nil {
			return err
		}
	}
	return f.report(worker.Report{Op: worker.OpSetup})
}

// admit takes in one client: its socket, out of the hands of package net.
func (f *floor) admit(l *net.TCPListener) error {
	if err := l.SetDeadline(time.Now().Add(f.set.Timeout)); err != nil {
		return err
	}
	c, err := l.AcceptTCP()
	if err != nil {
		return fmt.Errorf("accept: %w", err)
	}
	defer func() { _ = c.Close() }() // its descriptor lives on
	if err := c.SetReadDeadline(time.Now().Add(f.set.Timeout)); err != nil {
		return err
	}
	var head [4]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return fmt.Errorf("read room: %w", err)
	}
	room := binary.BigEndian.Uint32(head[:])
	if room >= uint32(len(f.rooms)) {
		return roomError(room)
	}
	fd, err := duplicate(c)
	if err != nil {
		return err
	}
	f.rooms[room] = append(f.rooms[room], fd)
	return nil
}

// duplicate returns a descriptor of c that outlives it; it does not block.
func duplicate(c *net.TCPConn) (fd int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	ctlErr := raw.Control(func(p uintptr) {
		fd, err = unix.FcntlInt(p, unix.F_DUPFD_CLOEXEC, 0)
	})
	return fd, errors.Join(ctlErr, err)
}

// pause is the longest time without a look at the orders.
const pause = 20 * time.Millisecond

// serve writes while it is told to.
func (f *floor) serve(ops <-chan worker.Op) error {
	for {
		select {
		case op, ok := <-ops:
			if !ok {
				return nil
			}
			if err := f.obey(op); err != nil {
				return err
			}
		default:
		}
		if err := f.writeDue(); err != nil {
			return err
		}
		f.sleep()
	}
}

func (f *floor) obey(op worker.Op) error {
	switch op {
	case worker.OpStart:
		f.running, f.start = true, f.clock.Now()
	case worker.OpStop:
		f.running = false
		return f.report(worker.Report{Op: worker.OpStop, Sent: f.counts()})
	}
	return nil
}

// tick is the shortest sleep. Messages that are due more often are written
// together: a floor must not contain what it costs to wake up for each.
const tick = 10 * time.Millisecond

// sleep sleeps until the next message is due, the cheapest way there is: no
// timer of Go, no second thread.
func (f *floor) sleep() {
	now := f.clock.Now()
	ts := unix.NsecToTimespec(min(max(f.due(), now+int64(tick)), now+int64(pause)))
	// EINTR ends the sleep early; the caller looks at the clock anyway.
	_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &ts, nil)
}

// due returns when the next message is to be written.
func (f *floor) due() int64 {
	if !f.running {
		return math.MaxInt64
	}
	return f.start + int64(float64(f.next)*float64(time.Second)/f.set.Rate)
}

// writeDue writes the messages whose time has come, room after room.
func (f *floor) writeDue() error {
	for due := f.due(); due <= f.clock.Now(); due = f.due() {
		room := f.next % len(f.rooms)
		frame := f.make(stamp.Stamp{Source: uint32(room), Seq: f.sent[room], Sent: due})
		for _, fd := range f.rooms[room] {
			if err := write(fd, frame); err != nil {
				return err
			}
		}
		f.sent[room]++
		f.next++
	}
	return nil
}

// write is the call whose price is asked for. It does not tell the Go scheduler
// that it is in the kernel: the sockets never block.
func write(fd int, p []byte) error {
	n, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if errno != 0 {
		return fmt.Errorf("write: %w", errno)
	}
	if int(n) != len(p) {
		return fmt.Errorf("write: the kernel took %d of %d bytes: the clients read too slowly for this rate", n, len(p))
	}
	return nil
}

func (f *floor) counts() []worker.SourceSent {
	out := make([]worker.SourceSent, len(f.sent))
	for i, n := range f.sent {
		out[i] = worker.SourceSent{Source: i, Sent: n}
	}
	return out
}

func (f *floor) report(r worker.Report) error {
	if err := f.out.Encode(r); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

func (f *floor) close() {
	for _, room := range f.rooms {
		for _, fd := range room {
			_ = unix.Close(fd)
		}
	}
}
