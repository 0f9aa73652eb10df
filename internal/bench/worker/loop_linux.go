package worker

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seed-09a96375/belfry/internal/bench/dialect"
	"github.com/seed-09a96375/belfry/internal/bench/frame"
	"github.com/seed-09a96375/belfry/internal/bench/stamp"
)

// phase is what the worker is about.
type phase uint8

const (
	connectPhase phase = iota
	joinPhase
	holdPhase   // all else: clients are ready, sources may be sending
	settlePhase // waits for what is on the way
	donePhase
)

const (
	// pause is the longest time without a look at the orders.
	pause = 20 * time.Millisecond
	// progressEvery is the time between two progress reports.
	progressEvery = 250 * time.Millisecond
	// linger is how long a worker waits for duplicates after all has arrived.
	linger = 200 * time.Millisecond
)

// loop holds the clients of one worker. All runs on one goroutine; the dialer,
// joiner, sender, judge and returner are its parts.
type loop struct {
	set    Setup
	speak  dialect.Dialect
	clock  stamp.Clock
	random *rand.Rand
	poller *poller
	orders <-chan Order
	out    *json.Encoder

	phase    phase
	clients  []client
	dialer   dialer
	joiner   joiner
	sender   sender
	judge    judge
	returner returner

	buffer   []byte // what a client is reading
	scratch  []byte // a message being made
	dirty    []int  // clients with something to write
	lost     int    // connections lost
	drained  int64  // when arrivals were last looked for
	reported int64  // when progress was last reported
	sent     []uint32
	settling int64 // when settling began
	fault    *Fault
	outErr   error
}

// newLoop prepares the clients of s; none is connected yet.
func newLoop(s Setup, clock stamp.Clock, orders <-chan Order, out io.Writer) (*loop, error) {
	l := &loop{
		set: s, clock: clock, orders: orders, out: json.NewEncoder(out),
		random:  rand.New(rand.NewPCG(s.Seed, 0)),
		clients: make([]client, s.End-s.First),
		buffer:  make([]byte, 256<<10),
	}
	l.dialer.loop, l.joiner.loop, l.sender.loop, l.judge.loop, l.returner.loop = l, l, l, l, l
	name := s.Protocol
	if s.Floor {
		name = dialect.SocketIO // the floor's frames are those of Socket.IO
	}
	var err error
	if l.speak, err = dialect.New(name); err != nil {
		return nil, err
	}
	if err := l.dialer.prepare(); err != nil {
		return nil, err
	}
	l.judge.prepare()
	l.sender.prepare()
	l.returner.prepare()
	l.poller, err = newPoller()
	return l, err
}

// run works until the parent says quit, goes away, or something fails.
func (l *loop) run() error {
	defer l.close()
	for l.phase != donePhase {
		if err := l.step(); err != nil {
			return err
		}
		if l.outErr != nil {
			return fmt.Errorf("report: %w", l.outErr)
		}
	}
	if l.fault != nil {
		return l.fault
	}
	return nil
}

// step does all that can be done now, then waits for more.
func (l *loop) step() error {
	l.obeyAll()
	now := l.clock.Now()
	switch l.phase {
	case connectPhase:
		l.dialer.proceed(now)
	case joinPhase:
		l.joiner.proceed(now)
	case settlePhase:
		l.settle(now)
	case holdPhase, donePhase:
	}
	l.returner.proceed(now)
	l.sender.proceed(now)
	l.progress(now)
	l.flushAll()
	if l.phase == donePhase {
		return nil
	}
	events, err := l.wait()
	for _, e := range events {
		if e.Fd == timerEvent {
			l.poller.expired()
			continue
		}
		l.handle(int(e.Fd), e.Events)
	}
	l.flushAll()
	return err
}

// wait waits for arrivals, or for the time of the next message. With a drain
// interval it does not let arrivals wake it.
func (l *loop) wait() ([]unix.EpollEvent, error) {
	now := l.clock.Now()
	due := min(l.sender.due(), now+int64(pause))
	drain := l.drain()
	if drain == 0 {
		return l.poller.until(due, now)
	}
	at := l.drained + int64(drain)
	if due < at {
		sleepUntil(due)
		return nil, nil
	}
	sleepUntil(at)
	l.drained = l.clock.Now()
	events, err := l.poller.ready()
	if l.poller.full(events) {
		l.drained = 0 // there is more: come again at once
	}
	return events, err
}

// drain is how long arrivals may wait. Nothing is urgent while idle clients are
// held.
func (l *loop) drain() time.Duration {
	if l.set.Drain > 0 && l.set.Plan.Publishers == 0 && l.phase == holdPhase {
		return max(l.set.Drain, pause)
	}
	return l.set.Drain
}

// obeyAll does what the parent asks for.
func (l *loop) obeyAll() {
	for {
		select {
		case o, ok := <-l.orders:
			if !ok {
				l.phase = donePhase // the parent is gone
				return
			}
			l.obey(o)
		default:
			return
		}
	}
}

func (l *loop) obey(o Order) {
	switch o.Op {
	case OpJoin:
		l.phase = joinPhase
	case OpStart:
		l.judge.mark()
		l.sender.begin(o.At, o.Window)
	case OpWindow:
		l.sender.setWindow(o.Window)
	case OpMark:
		l.report(Report{Op: OpMark, Mark: l.judge.mark()})
	case OpReturns:
		l.report(Report{Op: OpReturns, Returns: l.returner.sum()})
	case OpStop:
		l.sender.running = false
		l.report(Report{Op: OpStop, Sent: l.sender.sent()})
	case OpSettle:
		l.phase, l.sent, l.settling = settlePhase, o.Sent, l.clock.Now()
	case OpQuit:
		l.phase = donePhase
	default:
		l.fail(&Fault{Text: fmt.Sprintf("unknown order %q", o.Op)})
	}
}

// settle ends the wait for what is on the way: all is there, or nothing came
// for long enough.
func (l *loop) settle(now int64) {
	grace := int64(l.set.Grace)
	if l.judge.tally.Received >= l.judge.expected(l.sent) {
		grace = int64(linger)
	}
	if now-max(l.settling, l.judge.arrival) < grace {
		return
	}
	l.phase = holdPhase
	l.report(Report{Op: OpSettle, Tally: l.judge.verdict(l.sent)})
}

// progress reports several times a second.
func (l *loop) progress(now int64) {
	if now-l.reported < int64(progressEvery) {
		return
	}
	l.reported = now
	l.report(Report{Op: OpProgress, Progress: &Progress{
		Connected: l.dialer.done, Joined: l.joiner.done,
		Sent: l.sender.total, Arrived: l.judge.total, Lost: l.lost,
	}})
}

func (l *loop) report(r Report) {
	if err := l.out.Encode(r); err != nil {
		l.outErr = err
	}
}

// fail ends the worker with the first fault.
func (l *loop) fail(f *Fault) {
	if l.fault == nil {
		l.fault = f
	}
	l.phase = donePhase
}

// close ends all connections the way a browser does: a close frame first.
func (l *loop) close() {
	for i := range l.clients {
		c := &l.clients[i]
		if !c.live() {
			continue
		}
		if c.state == ready && !l.set.Floor {
			l.scratch = frame.Append(l.scratch[:0], frame.Close, l.random.Uint32(), nil)
			_, _ = rawWrite(c.fd, l.scratch) // who is gone needs no good-bye
		}
		c.state = closed
		_ = unix.Close(c.fd)
	}
	l.poller.close()
}
