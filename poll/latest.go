package poll

// KeepLatest: finding the queued frame of a key. The index exists only in
// queues of slow peers that get such frames.

// replace puts f in place of the queued frame of its key, if there is one, and
// reports whether f is thereby queued. If the place does not suit, or f does
// not fit there, the old frame is taken out and f is still to be queued.
func (q *queue) replace(f Frame, limit int, drops *dropCounters) bool {
	place, ok := q.placeOf(f.Key)
	if !ok {
		return false
	}
	drops.replaced.Add(1)
	old := q.at(place)
	grow := len(f.Data) - len(old.Data)
	if place < q.ordered || (q.size+grow > limit && q.size > len(old.Data)) {
		q.remove(place)
		return false
	}
	q.size += grow
	q.yielding += grow
	*old = f
	return true
}

// placeOf finds the queued frame of a key that is not on its way.
func (q *queue) placeOf(key uint64) (uint64, bool) {
	if q.latest == nil {
		q.latest = make(map[uint64]uint64)
		for i := q.head; i < q.tail; i++ {
			if f := q.at(i); f.Data != nil && f.Overflow == KeepLatest {
				q.latest[f.Key] = i
			}
		}
	}
	place, ok := q.latest[key]
	return place, ok && place >= q.pin
}

// forget takes the frame at place out of the index.
func (q *queue) forget(f *Frame, place uint64) {
	if q.latest == nil || f.Overflow != KeepLatest {
		return
	}
	if i, ok := q.latest[f.Key]; ok && i == place {
		delete(q.latest, f.Key)
	}
}
