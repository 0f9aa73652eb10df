package engineio

import (
	"slices"

	"github.com/seed-09a96375/belfry/engineio/packet"
	"github.com/seed-09a96375/belfry/poll"
)

// queue is what waits for a GET, in order. It is bounded in bytes.
type queue struct {
	items []item
	bytes int
	// latest counts the items with poll.KeepLatest.
	latest int
}

// item is one packet. Only a packet with data has an m, which then is a message
// or has the packet's data as its text.
type item struct {
	m          *Message
	key        uint64
	typ        packet.Type
	overflow   poll.Overflow
	noCompress bool
}

// itemCost is what an item counts beyond its data, so that many empty messages
// are bounded, too.
const itemCost = 32

func (i *item) cost() int {
	if i.m == nil {
		return itemCost
	}
	return itemCost + i.m.size
}

// add appends i whatever the bound.
func (q *queue) add(i item) {
	q.items = append(q.items, i)
	q.bytes += i.cost()
	if i.overflow == poll.KeepLatest {
		q.latest++
	}
}

// offer appends i if it fits into limit bytes, or if it is alone, or if items
// that may be dropped make room. slow says that nothing takes from the queue at
// the moment: an item of the same key gives way then. Errors: poll.ErrSlow,
// poll.ErrDropped.
func (q *queue) offer(i item, limit int, slow bool) error {
	if slow && i.overflow == poll.KeepLatest && q.latest > 0 {
		q.drop(func(old *item) bool { return old.overflow == poll.KeepLatest && old.key == i.key })
	}
	excess := q.bytes + i.cost() - limit
	if excess <= 0 || len(q.items) == 0 {
		q.add(i)
		return nil
	}
	if i.overflow == poll.CloseSlow {
		return poll.ErrSlow
	}
	if q.droppable() < excess {
		return poll.ErrDropped
	}
	q.drop(func(old *item) bool {
		if excess <= 0 || !old.mayDrop() {
			return false
		}
		excess -= old.cost()
		return true
	})
	q.add(i)
	return nil
}

func (i *item) mayDrop() bool { return i.m != nil && i.overflow != poll.CloseSlow }

func (q *queue) droppable() int {
	n := 0
	for k := range q.items {
		if i := &q.items[k]; i.mayDrop() {
			n += i.cost()
		}
	}
	return n
}

func (q *queue) drop(cond func(*item) bool) {
	q.items = slices.DeleteFunc(q.items, func(i item) bool {
		if !cond(&i) {
			return false
		}
		q.bytes -= i.cost()
		if i.overflow == poll.KeepLatest {
			q.latest--
		}
		return true
	})
}

// take empties the queue.
func (q *queue) take() []item {
	items := q.items
	*q = queue{}
	return items
}

func (q *queue) empty() bool { return len(q.items) == 0 }
