package consume

import (
	"cmp"
	"strings"
)

// joinTwins finds the entry with the same ID that this one waits for, so that the
// ID is handled once. It is never a later one: that may wait for this one.
func (c *consumer) joinTwins(it *item) {
	if c.o.Dedup == 0 {
		return
	}
	other := c.ids[it.entry.ID]
	if other != nil && precedes(it.entry.Entry, other.entry.Entry) {
		return
	}
	it.twin, c.ids[it.entry.ID] = other, it
}

// precedes compares the names of entries: numbers, or pairs of them with a dash.
func precedes(a, b string) bool {
	firstA, restA, _ := strings.Cut(a, "-")
	firstB, restB, _ := strings.Cut(b, "-")
	return cmp.Or(compareNumbers(firstA, firstB), compareNumbers(restA, restB)) < 0
}

func compareNumbers(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

const (
	// keyShare: a key may have one in so many places. More of its entries wait in
	// the crowd.
	keyShare = 4
	// crowdMost bounds the crowd of all keys, and so does crowdFactor: it is no more
	// than so many times the places.
	crowdMost   = 1000
	crowdFactor = 15
	// crowdArgs is how large arguments in the crowd may be, bytes: it bounds what the
	// crowd takes.
	crowdArgs = 16 << 10
)

// joinKey sends the entry to the crowd if its key has its share of the places: they
// wait for each other, and would keep other keys from being read.
func (c *consumer) joinKey(it *item) {
	e := it.entry
	if e.Key == "" || c.o.Unordered {
		return
	}
	c.keys[e.Key]++
	if c.keys[e.Key] <= max(c.o.Prefetch/keyShare, 1) || e.After == "" || len(e.Args) > crowdArgs || it.places != c.places {
		return
	}
	select {
	case c.crowd <- struct{}{}:
		it.free()
		it.places = c.crowd
	default: // it is full: reading has to wait
	}
}

func (c *consumer) leaveKey(it *item) {
	key := it.entry.Key
	if key == "" || c.o.Unordered {
		return
	}
	if c.keys[key]--; c.keys[key] == 0 {
		delete(c.keys, key)
	}
}
