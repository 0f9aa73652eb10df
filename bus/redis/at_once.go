package redis

import "time"

// quiet is how long nothing must have been handled for the goroutine that reads to
// deliver by itself. A busy feed has a goroutine that is awake, and reading goes on
// meanwhile.
const quiet = 50 * time.Microsecond

// atOnce delivers what came on the goroutine that has read it, and reports whether it
// could. Of a delivery to few clients waking another goroutine is the dearest part.
func (f *feed) atOnce(e event) bool {
	if !f.turn.TryLock() {
		return false
	}
	defer f.turn.Unlock()
	if f.owed.Load() > 0 || time.Since(f.ended) < quiet {
		return false
	}
	p, err := parsePush([]byte(e.payload))
	if err != nil || !f.smooth(e, p) {
		return false
	}
	f.push(e, p)
	f.part()
	f.ended = time.Now()
	return true
}

// smooth reports whether p is events, and no more than to be delivered: nothing that
// needs Redis, whose answers may come to the very goroutine that would wait for them.
func (f *feed) smooth(e event, p push) bool {
	if f.conn == 0 || e.conn != f.conn || p.epoch != f.in.counter {
		return false
	}
	if p.seq != 0 && !f.has(e.channel, p.seq) && f.gap(e.channel, p) {
		return false
	}
	switch p.kind() {
	case kindMessage:
		return isEmit(p.body)
	case kindBatch:
		bodies, err := bodiesOf(p.body)
		for _, body := range bodies {
			if !isEmit(body) {
				return false
			}
		}
		return err == nil
	}
	return false
}
