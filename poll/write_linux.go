package poll

import (
	"syscall"
	"time"
)

// The writing side of a loop: calls, counted and now and then timed.

// One in so many calls is timed.
const (
	timedDirect  = 64
	timedBatches = 16
)

// write writes one frame.
func (l *loop) write(fd int, p []byte) (n int, errno syscall.Errno) {
	if calls := l.counts.direct.Add(1); calls%timedDirect != 0 || !l.pace.on() {
		n, errno = sysWrite(fd, p)
	} else {
		start := time.Now()
		n, errno = sysWrite(fd, p)
		l.timed(start, timedDirect, len(p) < heldBytes)
	}
	if n < len(p) {
		l.counts.frames.Add(^uint64(0))
	}
	l.counts.bytes.Add(uint64(n))
	return n, errno
}

// writeQueue writes the first frames of q in one call and takes them out.
func (l *loop) writeQueue(fd int, q *queue) (n, want int, errno syscall.Errno) {
	v := l.engine.iovecs.Get().(*[maxIovecs]syscall.Iovec)
	used, want := gather(q, v)
	if calls := l.counts.batches.Add(1); calls%timedBatches != 0 || !l.pace.on() {
		n, errno = sysWritev(fd, v[:used], want)
	} else {
		start := time.Now()
		n, errno = sysWritev(fd, v[:used], want)
		l.timed(start, timedBatches, used < heldFrames && want < heldBytes)
	}
	clear(v[:used])
	l.engine.iovecs.Put(v)
	l.counts.bytes.Add(uint64(n))
	l.counts.frames.Add(uint64(q.advance(n)))
	return n, want, errno
}

// gather lists the first frames of q and returns how many, and their bytes.
func gather(q *queue, v *[maxIovecs]syscall.Iovec) (used, size int) {
	off := q.off
	for i := q.head; i < q.tail && used < maxIovecs; i++ {
		p := q.at(i).Data
		if p == nil {
			continue
		}
		v[used].Base = &p[off]
		v[used].SetLen(len(p) - off)
		size += len(p) - off
		off = 0
		used++
	}
	return used, size
}

// timed hands a timed call to the pace, which may start collecting.
func (l *loop) timed(start time.Time, weight int64, thin bool) {
	now := time.Now()
	l.pace.sample(now.Sub(start), weight, thin)
	if l.pace.interval.Load() == 0 && l.pace.overloaded(now.Sub(l.engine.began)) {
		l.startCollecting()
	}
}
