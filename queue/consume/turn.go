package consume

import "time"

// turn waits until the event before this one is done with. It reports whether
// there is reason to go on.
func (it *item) turn() bool {
	if it.twin != nil || it.before != nil {
		it.stepAside()
	}
	if _, ok := it.after(&it.twin); !ok {
		return false
	}
	if it.c.o.Unordered || it.entry.After == "" {
		return true
	}
	settled, ok := it.after(&it.before)
	if !ok || settled {
		return ok
	}
	return it.turnElsewhere()
}

// stepAside gives back the place of an entry that was reclaimed and cannot go on. If
// those that wait kept their places, what they wait for might never be reclaimed.
func (it *item) stepAside() {
	if it.places == it.c.spare {
		it.free()
	}
}

// free gives the place back.
func (it *item) free() {
	if it.places != nil {
		<-it.places
		it.places = nil
	}
}

// after waits until another item is gone, if there is one, and forgets it: a chain
// of them would stay in memory. ok is false if there is no reason to go on.
func (it *item) after(other **item) (settled, ok bool) {
	before := *other
	if before == nil {
		return false, it.alive()
	}
	*other = nil
	select {
	case <-before.gone:
		return before.settled, it.alive()
	case <-it.c.stopping.Done():
	case <-it.ctx.Done():
	}
	return false, false
}

const (
	turnFirst   = 2 * time.Millisecond
	turnLongest = 250 * time.Millisecond
)

// turnElsewhere asks the store, as another consumer has the event before.
func (it *item) turnElsewhere() bool {
	pause := turnFirst
	for it.alive() {
		waits, err := it.c.store.Waits(it.ctx, it.entry.After)
		if err == nil && !waits {
			return true
		}
		it.stepAside()
		if !it.pause(spread(pause)) {
			return false
		}
		pause = min(pause*3/2, turnLongest)
	}
	return false
}

// alive reports whether the entry is still this consumer's to begin with.
func (it *item) alive() bool { return it.c.stopping.Err() == nil && it.ctx.Err() == nil }

// pause waits as long as the entry is alive.
func (it *item) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-it.c.stopping.Done():
	case <-it.ctx.Done():
	}
	return false
}
