package redis

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-09a96375/belfry"
)

// begin begins at a place of the log: nothing before it is missing.
func (f *feed) begin(m mark) {
	for channel := range f.chain {
		f.chain[channel] = m.seq
	}
	f.reach(m.seq, m.stamp)
}

func (f *feed) lost(reason error) {
	f.part()
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
	f.part()
	f.link.health.repairs.Add(1)
	next := from + 1
	err := f.link.readLog(ctx, from, func(e entry) error {
		if e.seq != next {
			f.pass(e.seq - 1)
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

// pass notes that nothing up to a number comes any more, on no channel: what is
// lost is told once.
func (f *feed) pass(number uint64) {
	for channel, last := range f.chain {
		if last != 0 && last < number {
			f.chain[channel] = number
		}
	}
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
	if channel != "" && !f.has(channel, e.seq) && !f.begins.after(channel, f.in.counter, e.seq) {
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
