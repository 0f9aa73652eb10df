package redis

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
)

// feed delivers, in one goroutine, what the subscription brings. Its fields
// belong to that goroutine.
type feed struct {
	link  *link
	queue chan event

	conn   uint64       // the connection that is in step; 0: none, what comes is skipped
	in     *incarnation // whose numbers these are
	number uint64       // all up to it that this node gets is delivered
	stamp  uint64       // time of the message with the number, 0 if not known
	// chain holds, with Options.Interest, for each channel that is followed the
	// number up to which nothing of it is missing; 0: not known yet.
	chain map[string]uint64
	echo  echo // the last message that had one
}

// echo tells copies of a message on two channels.
type echo struct {
	origin belfry.NodeID
	count  uint64
}

// event is a message on a connection, or something to do in its place.
type event struct {
	conn uint64
	message
	do func(*feed)
}

type message struct{ channel, payload string }

// queueSize bounds what waits for delivery. When it is full, reading stops; if
// that lasts, Redis ends the connection, and what was missed is read from the
// log.
const queueSize = 1024

func (f *feed) init(l *link) {
	f.link = l
	f.queue = make(chan event, queueSize)
	if l.bus.opts.Interest {
		f.chain = map[string]uint64{everyone: 0, nodeChannel(l.id): 0}
	}
}

// take queues a message of the subscription's connection.
func (f *feed) take(ctx context.Context, conn uint64, m rueidis.PubSubMessage) {
	e := event{conn: conn, message: message{f.link.bus.names.suffix(m.Channel), m.Message}}
	if isProbe(m.Message) {
		f.link.health.probed() // whatever the node takes to deliver
	}
	select {
	case f.queue <- e:
		return
	default:
	}
	f.link.health.behind.Store(true)
	defer f.link.health.behind.Store(false)
	select {
	case f.queue <- e:
	case <-ctx.Done():
	}
}

// do runs fn between deliveries, unless ctx ends first.
func (f *feed) do(ctx context.Context, fn func(*feed)) {
	select {
	case f.queue <- event{do: fn}:
	case <-ctx.Done():
	case <-f.link.ctx.Done():
	}
}

// run ends when the link is closed.
func (f *feed) run() {
	for {
		select {
		case e := <-f.queue:
			if f.link.ctx.Err() != nil {
				return
			}
			f.handle(e)
		case <-f.link.ctx.Done():
			return
		}
	}
}

func (f *feed) handle(e event) {
	if e.do != nil {
		e.do(f)
		return
	}
	p, err := parsePush([]byte(e.payload))
	if err != nil {
		f.link.health.foreign(f.link, e.channel, err)
		return
	}
	switch k := p.kind(); {
	case k == kindMark:
		f.mark(e.conn, p)
	case k == kindReply:
		f.reply(e.channel, p)
	case f.conn == 0 || e.conn != f.conn:
		// Not in step: the mark that is on its way repairs what has a number.
	case k == kindProbe:
		f.probe(p)
	case k == kindCheck:
		f.check(p)
	case k == kindMessage:
		f.message(e.channel, p)
	default:
		f.link.health.foreign(f.link, e.channel, errVersion)
	}
}

func (f *feed) reply(channel string, p push) {
	r, err := decodeReply(p.body)
	if err != nil {
		f.link.health.foreign(f.link, channel, err)
		return
	}
	f.link.node.Replied(r)
}

// message delivers what came live, after what is missing before it.
func (f *feed) message(channel string, p push) {
	switch {
	case p.epoch != f.in.counter:
		f.lose("a message of another epoch came")
	case p.seq == 0:
		f.deliver(channel, p.body, 0)
	case f.has(channel, p.seq):
	case f.gap(channel, p):
		f.repair(f.last(channel))
	default:
		f.deliver(channel, p.body, p.seq)
		f.advance(channel, p.seq, p.stamp)
	}
}

// last returns the number up to which nothing of the channel is missing.
func (f *feed) last(channel string) uint64 {
	if f.chain == nil {
		return f.number
	}
	return f.chain[channel]
}

func (f *feed) has(channel string, seq uint64) bool { return seq <= f.last(channel) }

// gap reports whether something is missing before p.
func (f *feed) gap(channel string, p push) bool {
	if f.chain == nil {
		return p.seq != f.number+1
	}
	last := f.chain[channel]
	return last != 0 && p.previous > last
}

// advance notes that a message has been delivered.
func (f *feed) advance(channel string, seq, stamp uint64) {
	if _, ok := f.chain[channel]; ok {
		f.chain[channel] = seq
	}
	if seq > f.number {
		f.reach(seq, stamp)
	}
}

// reach notes that everything up to a number has been delivered.
func (f *feed) reach(number, stamp uint64) {
	f.number, f.stamp = number, stamp
	f.link.progress.set(place{f.in.counter, number})
}

// lose gives the connection up. Nothing is delivered until the next is in step.
func (f *feed) lose(why string) {
	f.conn = 0
	f.link.subscription.giveUp(why)
}

// deliver hands a message to the node.
func (f *feed) deliver(channel string, body []byte, seq uint64) {
	origin, count, ok := peekOrigin(body)
	if !ok {
		f.link.health.foreign(f.link, channel, errBody)
		return
	}
	if f.echo.count == count && string(origin) == string(f.echo.origin) {
		return // the copy for those who follow the room that a socket is
	}
	own := string(origin) == string(f.link.id)
	if own && f.link.pending.isGhost(count) {
		return
	}
	f.echo = echo{belfry.NodeID(origin), count}
	if own {
		if p := f.link.pending.claim(count); p != nil {
			f.deliverOwn(p, f.in.epoch, seq)
			return
		}
	}
	m, _, err := decodeMessage(body)
	if err != nil {
		f.link.health.foreign(f.link, channel, err)
		return
	}
	if seq != 0 && replayed(m) {
		m.Offset = f.in.offset(seq)
	}
	f.link.node.Deliver(m)
}

// deliverOwn delivers the publisher's own message: it waits for that.
func (f *feed) deliverOwn(p *publication, e epoch, seq uint64) {
	f.link.stamp(p.message, e, seq)
	f.link.node.Deliver(p.message)
	close(p.delivered)
}

// probe comes after all that was published before it on all channels.
func (f *feed) probe(p push) {
	numbers, err := parseNumbers(string(p.body[2:]))
	if err != nil || len(numbers) != 3 {
		f.link.health.foreign(f.link, "probe", errPush)
		return
	}
	if p.epoch != f.in.counter {
		f.lose("a probe of another epoch came")
		return
	}
	f.reached(numbers[1], numbers[2])
}

// reached says that all up to a number came before on a connection in step.
func (f *feed) reached(seq, stamp uint64) {
	switch {
	case seq <= f.number:
	case f.chain == nil:
		f.repair(f.number) // it did not
	default:
		f.reach(seq, stamp) // of the followed channels nothing is missing, see check
	}
}

// check compares the last numbers of channels with what came. Like the probe it
// comes after all that it counts.
func (f *feed) check(p push) {
	numbers, err := parseNumbers(string(p.body[2:]))
	if err != nil {
		f.link.health.foreign(f.link, "check", err)
		return
	}
	channels := f.link.checked(numbers[0])
	if len(channels) != len(numbers)-1 {
		return // of an earlier round
	}
	for i, channel := range channels {
		if last := f.chain[channel]; last != 0 && numbers[i+1] > last {
			f.repair(last)
			return
		}
	}
}

// mark puts the feed in step with a connection: from the mark on, nothing is
// missing on it.
func (f *feed) mark(conn uint64, p push) {
	m, err := parseMark(p.body)
	if err != nil {
		f.link.health.foreign(f.link, "mark", err)
		return
	}
	if f.in != nil && m.epoch.counter < f.in.counter {
		return
	}
	in := f.link.adopt(m.epoch)
	if in.epoch != m.epoch {
		return // later still: its mark is to come
	}
	fresh := f.conn != conn
	switch {
	case f.in == nil:
		f.in = in
		f.begin(m)
	case f.in.epoch != in.epoch:
		if !f.cross(in, m) {
			return
		}
	case fresh && m.seq > f.number && !f.repair(f.number):
		return
	case !fresh:
		f.reached(m.seq, m.stamp)
	}
	f.conn = conn
	if fresh {
		f.link.health.subscriptionUp()
		f.adoptOrphans()
	}
}

// adoptOrphans delivers messages without a number whose echo went with the last
// connection.
func (f *feed) adoptOrphans() {
	for _, p := range f.link.pending.orphaned() {
		if q := f.link.pending.claimGhost(p.count); q != nil {
			f.deliverOwn(q, f.in.epoch, 0)
		}
	}
}

// cross goes over to another epoch. If the log still has the last message that
// was delivered, at its place, it goes on from there; if not, Redis has lost
// something, and it begins at the end.
func (f *feed) cross(in *incarnation, m mark) bool {
	old := f.in
	kept, err := f.link.holds(in, f.number, f.stamp)
	if err != nil {
		f.lose(fmt.Sprintf("look for the last message: %v", err))
		return false
	}
	f.in = in
	if kept {
		return f.repair(f.number)
	}
	f.lost(fmt.Errorf("epoch %s ended at %d, epoch %s does not continue it", old.name(), f.number, in.name()))
	f.begin(m)
	return true
}

// begin begins at the end of the log.
func (f *feed) begin(m mark) {
	for channel := range f.chain {
		f.chain[channel] = m.seq
	}
	f.reach(m.seq, m.stamp)
}

func (f *feed) lost(reason error) {
	f.link.health.lost(f.link, reason)
	if w, ok := f.link.node.(belfry.LossWatcher); ok {
		w.Lost(reason)
	}
}

// repair reads the log after a number and delivers what is missing. If it cannot
// it reports false, and the next connection tries again.
func (f *feed) repair(from uint64) bool {
	ctx, cancel := context.WithTimeout(f.link.ctx, 10*f.link.bus.opts.Timeout)
	defer cancel()
	f.link.health.repairs.Add(1)
	next := from + 1
	err := f.link.readLog(ctx, from, func(e entry) error {
		if e.seq != next {
			f.lost(fmt.Errorf("the log was trimmed from %d to %d before this node had it", next, e.seq-1))
		}
		next = e.seq + 1
		f.restore(e)
		return f.link.ctx.Err()
	})
	if errors.Is(err, errTrimmed) {
		f.lost(fmt.Errorf("the log was trimmed after %d before this node had it", next-1))
		err = f.skip(ctx)
	}
	if err != nil {
		f.lose(fmt.Sprintf("repair: %v", err))
		return false
	}
	return true
}

// skip goes to the end of a log that has nothing any more.
func (f *feed) skip(ctx context.Context) error {
	_, seq, stamp, err := f.link.readPart(ctx, f.in, 1, 0)
	if err == nil && seq > f.number {
		f.begin(mark{seq: seq, stamp: stamp})
	}
	return err
}

// restore delivers a message of the log if this node gets it and has not got it.
func (f *feed) restore(e entry) {
	channel := f.wanted(e)
	if channel != "" && !f.has(channel, e.seq) {
		f.deliver(channel, e.body, e.seq)
		f.advance(channel, e.seq, e.stamp)
	}
	if e.seq > f.number {
		f.reach(e.seq, e.stamp)
	}
}

// wanted returns the channel by which this node gets a message of the log, ""
// if it does not.
func (f *feed) wanted(e entry) string {
	if f.chain == nil {
		return e.channel
	}
	if _, ok := f.chain[e.channel]; ok {
		return e.channel
	}
	m, _, err := decodeMessage(e.body)
	if err != nil {
		return ""
	}
	if channel := channelOf(m); channel != e.channel {
		if _, ok := f.chain[channel]; ok {
			return channel
		}
	}
	return ""
}
