package poll

// queue holds the frames of one connection that are not written yet, oldest
// first. Frames are numbered by place; a dropped one leaves an empty place. The
// zero value is an empty queue. Not safe for concurrent use.
type queue struct {
	ring       []Frame // length a power of two; place i is ring[i&(len-1)]
	head, tail uint64  // places of the oldest frame and of the next one
	pin        uint64  // frames before it are on their way: not to be dropped
	droppable  uint64  // no frame before it can be dropped (a hint)
	ordered    uint64  // all frames from here on are KeepLatest
	off        int     // bytes of the oldest frame that are written
	frames     int     // frames that wait
	size       int     // bytes that wait
	yielding   int     // bytes of frames that can be dropped
	latest     map[uint64]uint64
}

const minRing = 8

func (q *queue) at(place uint64) *Frame { return &q.ring[place&uint64(len(q.ring)-1)] }

func (q *queue) empty() bool { return q.frames == 0 }

// push queues f, or says why not: ErrSlow, ErrDropped. limit bounds the bytes;
// slow tells that the peer does not take what is queued.
func (q *queue) push(f Frame, slow bool, limit int, drops *dropCounters) error {
	if !q.couldFit(&f, limit) {
		if f.Overflow == CloseSlow {
			return ErrSlow
		}
		drops.overflow.Add(1)
		return ErrDropped
	}
	if slow && f.Overflow == KeepLatest && q.replace(f, limit, drops) {
		return nil
	}
	for !q.fits(len(f.Data), limit) {
		q.dropOldest()
		drops.oldest.Add(1)
	}
	q.append(f)
	return nil
}

func (q *queue) fits(n, limit int) bool { return q.size == 0 || q.size+n <= limit }

// couldFit reports whether f fits, at worst after all that may be dropped is.
func (q *queue) couldFit(f *Frame, limit int) bool {
	if f.Overflow == CloseSlow {
		return q.fits(len(f.Data), limit)
	}
	firm := q.size - q.yielding
	return firm == 0 || firm+len(f.Data) <= limit
}

func (q *queue) append(f Frame) {
	if len(q.ring) == 0 || q.tail-q.head == uint64(len(q.ring)) {
		q.makeRing()
	}
	*q.at(q.tail) = f
	if f.Overflow == KeepLatest && q.latest != nil {
		q.latest[f.Key] = q.tail
	}
	q.tail++
	if f.Overflow != KeepLatest {
		q.ordered = q.tail
	}
	q.frames++
	q.size += len(f.Data)
	if f.Overflow != CloseSlow {
		q.yielding += len(f.Data)
	}
}

// makeRing makes room for at least one more frame. Empty places vanish.
func (q *queue) makeRing() {
	n := max(minRing, len(q.ring))
	if q.frames > n/2 {
		n *= 2
	}
	next := queue{
		ring: make([]Frame, n), off: q.off,
		frames: q.frames, size: q.size, yielding: q.yielding,
	}
	for i := q.head; i < q.tail; i++ {
		f := q.at(i)
		if f.Data == nil {
			continue
		}
		next.ring[next.tail] = *f
		next.tail++
		if i < q.pin {
			next.pin = next.tail
		}
		if f.Overflow != KeepLatest {
			next.ordered = next.tail
		}
	}
	*q = next
}

// dropOldest drops the oldest frame that may be dropped. There must be one.
func (q *queue) dropOldest() {
	i := max(q.droppable, q.pin, q.head)
	for f := q.at(i); f.Data == nil || f.Overflow == CloseSlow; f = q.at(i) {
		i++
	}
	q.droppable = i + 1
	q.remove(i)
}

// remove takes a frame out that is not on its way.
func (q *queue) remove(place uint64) {
	f := q.at(place)
	q.forget(f, place)
	q.frames--
	q.size -= len(f.Data)
	if f.Overflow != CloseSlow {
		q.yielding -= len(f.Data)
	}
	*f = Frame{}
	q.trim()
}

// trim takes empty places away from the front.
func (q *queue) trim() {
	for q.head < q.tail && q.at(q.head).Data == nil {
		q.head++
	}
}

// pinTo says that all frames before place are on their way.
func (q *queue) pinTo(place uint64) {
	for i := max(q.pin, q.head); i < place; i++ {
		if f := q.at(i); f.Overflow != CloseSlow {
			q.yielding -= len(f.Data)
		}
	}
	q.pin = max(q.pin, place)
}

// advance says that n more bytes are written; it returns the number of frames
// that are now complete.
func (q *queue) advance(n int) (done int) {
	for n > 0 {
		rest := len(q.at(q.head).Data) - q.off
		q.pinTo(q.head + 1)
		if n < rest {
			q.off += n
			q.size -= n
			return done
		}
		n -= rest
		q.pop(rest)
		done++
	}
	return done
}

// pop takes the oldest frame out, of which rest bytes still counted.
func (q *queue) pop(rest int) {
	f := q.at(q.head)
	q.forget(f, q.head)
	*f = Frame{}
	q.head++
	q.frames--
	q.size -= rest
	q.off = 0
	q.trim()
}

// take puts the bytes of the first frames into dst and pins these frames: as
// many as dst has room for and as make up size bytes, but at least one.
func (q *queue) take(dst [][]byte, size int) [][]byte {
	i, off := q.head, q.off
	for ; i < q.tail && len(dst) < cap(dst) && size > 0; i++ {
		if p := q.at(i).Data; p != nil {
			dst = append(dst, p[off:])
			size -= len(p) - off
			off = 0
		}
	}
	q.pinTo(i)
	return dst
}

// reset empties the queue; it keeps the ring unless that grew large.
func (q *queue) reset() {
	const keep = 256 // frames, 10 KiB
	ring := q.ring
	if len(ring) > keep {
		ring = nil
	}
	clear(ring)
	*q = queue{ring: ring}
}
