package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// cross goes over to another epoch. If the log still has the last message that
// was delivered, at its place, it goes on from there; if not, Redis has lost
// something, and it begins where the epoch does: all that was accepted in it is
// delivered.
func (f *feed) cross(in *incarnation, m mark) bool {
	old := f.in
	kept, reached, err := f.together(in)
	if err != nil {
		f.lose(fmt.Sprintf("go over to another epoch: %v", err))
		return false
	}
	missing := !kept || reached > f.number
	f.remember(crossing{from: old.counter, to: in.counter, number: f.number, told: missing})
	f.in = in
	if missing {
		f.lost(fmt.Errorf("epoch %s ended at %d, epoch %s does not continue it", old.name(), max(reached, f.number), in.name()))
	}
	if !kept {
		if m.from >= m.seq {
			f.begin(m)
			return true
		}
		f.begin(mark{seq: m.from})
	}
	f.reach(f.number, f.stamp) // in this epoch, even if there is nothing to repair
	return f.repair(f.number)
}

// togetherFor is how long after its begin an epoch waits for the nodes of the one
// before. A node that lives is there by then.
const togetherFor = 3 * time.Second

// together reports whether the log has what was delivered, and up to where the epoch
// is known to have reached without being in the log. If it misses nothing it waits,
// for a time, for the other nodes: what they know should be told before anything that
// comes after it is delivered.
func (f *feed) together(in *incarnation) (kept bool, reached uint64, err error) {
	kept, beyond, err := f.beyond(in)
	if err != nil {
		return false, 0, err
	}
	for {
		r, err := f.link.cross(in, hole{f.in.counter, beyond})
		if err != nil || !kept || r.known > f.number || r.others == 0 || r.age >= togetherFor {
			return kept, r.known, err
		}
		select {
		case <-time.After(25 * time.Millisecond):
		case <-f.link.ctx.Done():
			return kept, 0, f.link.ctx.Err()
		}
	}
}

// beyond reports whether the log has what was delivered last, and up to where this
// node knows the epoch to have reached without being in the log, 0 if it knows of
// nothing.
func (f *feed) beyond(in *incarnation) (kept bool, number uint64, err error) {
	kept, err = f.link.holds(in, f.number, f.stamp)
	if err != nil {
		return false, 0, err
	}
	if !kept {
		number = f.number
	}
	a := f.link.commits.last.Load()
	if a == nil || a.counter != f.in.counter || a.number <= f.number {
		return kept, number, nil
	}
	there, err := f.link.holdsOwn(in, *a)
	if err == nil && !there {
		number = a.number
	}
	return kept, number, err
}

// arrival is what Redis says to a node that comes over.
type arrival struct {
	known  uint64        // the highest number of the earlier epoch that the log does not have
	others uint64        // nodes that are yet to come
	age    time.Duration // of the epoch
}

// cross tells Redis, and thus all nodes, that this node comes over, and what the log
// does not have; nothing, if reached is 0.
func (l *link) cross(in *incarnation, h hole) (a arrival, err error) {
	ctx, cancel := context.WithTimeout(l.ctx, l.bus.opts.Timeout)
	defer cancel()
	n, log := l.bus.names, l.bus.opts.Log
	r, err := l.runIn(ctx, in, in.scripts.cross,
		[]string{n.seq(), n.log(), n.epoch(), n.awaited(), n.hole(h.counter)},
		n.base, strconv.Itoa(log.MaxMessages), millis(log.MaxAge), string(l.id),
		strconv.FormatUint(h.reached, 10), string(encodeHole(h)), millis(holeKept))
	if err != nil {
		return a, err
	}
	answer, err := r.AsIntSlice()
	if err != nil || len(answer) != 3 {
		return a, errors.Join(errPush, err)
	}
	return arrival{uint64(answer[0]), uint64(answer[1]), time.Duration(answer[2]) * time.Millisecond}, nil
}

// report makes known that Redis has lost what it had accepted, if so. It is for what
// this node learns only after it has come over.
func (l *link) report(a acceptance) {
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		in := l.incarnation.Load()
		there, err := l.holdsOwn(in, a)
		if err == nil && !there {
			_, err = l.cross(in, hole{a.counter, a.number})
		}
		if err == nil || l.rest(l.ctx, pause) != nil {
			return
		}
	}
}
