package redis

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
)

// feed delivers what the subscription brings: in a goroutine of its own, or, where
// there is nothing to wait for, in the one that reads.
type feed struct {
	link  *link
	queue chan event
	owed  atomic.Int64 // events that are queued, or handled by the feed's goroutine

	// turn is held while an event is handled. It guards the rest.
	turn  sync.Mutex
	ended time.Time // when the last event was handled

	conn   uint64       // the connection that is in step; 0: none, what comes is skipped
	in     *incarnation // whose numbers these are
	number uint64       // all up to it that this node gets is delivered
	stamp  uint64       // time of the message with the number, 0 if not known
	// chain holds, with Options.Interest, for each channel that is followed the
	// number up to which nothing of it is missing; 0: not known yet.
	chain  map[string]uint64
	begins begins // of channels that have just been followed
	echo   echo   // the last message that had one
	recent recent
	bundle belfry.Bundle // what is delivered together; nil: each by itself

	crossings []crossing // the oldest first
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
	f.recent.init()
	f.begins.init()
	if l.bus.opts.Interest {
		f.chain = map[string]uint64{everyone: 0, nodeChannel(l.id): 0}
	}
}

// take queues a message of the subscription's connection. ctx ends when the
// connection is given up: from the first message that is not queued on, none is.
// Whatever comes after a hole would be taken for proof that there is none.
func (f *feed) take(ctx context.Context, conn uint64, m rueidis.PubSubMessage) {
	if ctx.Err() != nil {
		return
	}
	e := event{conn: conn, message: message{f.link.bus.names.suffix(m.Channel), m.Message}}
	if isProbe(m.Message) {
		f.link.health.probed() // whatever the node takes to deliver
	}
	if f.atOnce(e) {
		return
	}
	f.owed.Add(1)
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
		f.owed.Add(-1)
	}
}

// do runs fn between deliveries, unless ctx ends first.
func (f *feed) do(ctx context.Context, fn func(*feed)) {
	f.owed.Add(1)
	select {
	case f.queue <- event{do: fn}:
		return
	case <-ctx.Done():
	case <-f.link.ctx.Done():
	}
	f.owed.Add(-1)
}

// run ends when the link is closed.
func (f *feed) run() {
	defer f.end()
	for {
		select {
		case e := <-f.queue:
			if f.link.ctx.Err() != nil {
				return
			}
			f.next(e)
		case <-f.link.ctx.Done():
			return
		}
	}
}

func (f *feed) end() {
	f.turn.Lock()
	defer f.turn.Unlock()
	f.part()
}

// next handles an event of the queue.
func (f *feed) next(e event) {
	f.turn.Lock()
	defer f.turn.Unlock()
	f.handle(e)
	if len(f.queue) == 0 {
		f.part()
	}
	f.ended = time.Now()
	f.owed.Add(-1)
}

func (f *feed) handle(e event) {
	if e.do != nil {
		f.part()
		e.do(f)
		return
	}
	p, err := parsePush([]byte(e.payload))
	if err != nil {
		f.link.health.foreign(f.link, e.channel, err)
		return
	}
	f.push(e, p)
}

func (f *feed) push(e event, p push) {
	k := p.kind()
	f.join(k)
	switch {
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
	case k == kindMessage, k == kindBatch, k == kindHole:
		f.messages(e.channel, p)
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

// messages delivers a message, or several that came as one.
func (f *feed) messages(channel string, p push) {
	bodies, err := bodiesOf(p.body)
	if err != nil {
		f.link.health.foreign(f.link, channel, err)
		return
	}
	for _, body := range bodies {
		if f.conn == 0 {
			return // given up
		}
		p.body = body
		f.message(channel, p)
		if p.seq != 0 {
			p.previous, p.seq = p.seq, p.seq+1
		}
	}
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
	if isHole(body) {
		f.hole(channel, body)
		return
	}
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
	if isAgain(body) && f.recent.has(origin, count) {
		return
	}
	f.echo = echo{belfry.NodeID(origin), count}
	f.recent.add(origin, count)
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
	f.hand(m)
}

// deliverOwn delivers the publisher's own message: it waits for that.
func (f *feed) deliverOwn(p *publication, e epoch, seq uint64) {
	f.link.stamp(p.message, e, seq)
	f.hand(p.message)
	close(p.delivered)
}
