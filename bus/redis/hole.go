package redis

import (
	"fmt"
	"strconv"
	"time"
)

// A Redis that takes over may lack the last messages of the one before. Of two nodes
// one may have had them, and the other not: for that one the log goes on where it
// stands, and it sees nothing missing. So the first, which finds that the log does
// not continue what it has, writes a hole into it: an entry that says up to where the
// earlier epoch had reached.

// hole says that an epoch had reached a number that later ones do not have.
type hole struct{ counter, reached uint64 }

// holeKept is how long Redis remembers that a hole was written. After that another
// node that comes over may write it again.
const holeKept = 24 * time.Hour

func encodeHole(h hole) []byte {
	e := newEncoder(kindHole, 24)
	e.number(fieldCounter, h.counter)
	e.number(fieldReached, h.reached)
	return e
}

func decodeHole(body []byte) (h hole, err error) {
	err = fields(body, kindHole, func(field uint64, v []byte) (err error) {
		switch field {
		case fieldCounter:
			h.counter, err = uvarint(v)
		case fieldReached:
			h.reached, err = uvarint(v)
		}
		return err
	})
	return h, err
}

func isHole(body []byte) bool {
	return len(body) >= 2 && body[0] == bodyVersion && bodyKind(body[1]) == kindHole
}

// crossing is where the feed went from one epoch to another.
type crossing struct {
	from, to uint64 // counters
	number   uint64 // up to which the earlier one was delivered
	told     bool   // the node knows that something is missing there
}

// misses reports whether what is not in the log is missing at this node.
func (c crossing) misses(h hole) bool {
	return c.from <= h.counter && h.counter < c.to && (c.from < h.counter || c.number < h.reached)
}

// maxCrossings bounds those that are remembered.
const maxCrossings = 16

func (f *feed) remember(c crossing) {
	if len(f.crossings) == maxCrossings {
		f.crossings = append(f.crossings[:0], f.crossings[1:]...)
	}
	f.crossings = append(f.crossings, c)
}

// hole tells the node of a loss if it is one for it, and was not told before.
func (f *feed) hole(channel string, body []byte) {
	h, err := decodeHole(body)
	if err != nil {
		f.link.health.foreign(f.link, channel, err)
		return
	}
	for i := range f.crossings {
		c := &f.crossings[i]
		if c.told || !c.misses(h) {
			continue
		}
		c.told = true
		f.lost(fmt.Errorf("epoch %s had reached %d, which redis has lost: this node had it up to %d",
			strconv.FormatUint(h.counter, 36), h.reached, c.number))
	}
}
