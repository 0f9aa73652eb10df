package hub

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/seed-09a96375/belfry"
)

// Stats count what a Hub has done since it was made, but for what is of now. They are
// read one after the other, not at one moment.
type Stats struct {
	// Published counts messages of this node that the cluster has accepted, questions
	// and changes of rooms included.
	Published uint64
	// Duplicates counts those that had the ID of an earlier one.
	Duplicates uint64
	// Unavailable, InDoubt and Failed count those that were not accepted: the bus was
	// away; it was not known; all else, such as a context that ended.
	Unavailable, InDoubt, Failed uint64
	// Received counts messages for clients that the bus has brought to this node.
	Received uint64
	// Delivered counts members that got one of them, one for each message.
	Delivered uint64
	// Members and Rooms are how many there are now, of all namespaces. A member's own
	// room does not count.
	Members, Rooms int
}

// tally is what Stats shows.
type tally struct {
	published, duplicates, unavailable, inDoubt, failed atomic.Uint64
	received, delivered                                 atomic.Uint64
}

// Stats reads the counters. Safe for concurrent use.
func (h *Hub) Stats() Stats {
	c := &h.tally
	s := Stats{
		Published: c.published.Load(), Duplicates: c.duplicates.Load(),
		Unavailable: c.unavailable.Load(), InDoubt: c.inDoubt.Load(), Failed: c.failed.Load(),
		Received: c.received.Load(), Delivered: c.delivered.Load(),
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, sp := range h.spaces {
		members, rooms := sp.size()
		s.Members, s.Rooms = s.Members+members, s.Rooms+rooms
	}
	return s
}

// Counts are those of the bus; false: it counts nothing.
func (h *Hub) Counts() (belfry.LinkCounts, bool) {
	c, ok := h.link.(belfry.LinkCounter)
	if !ok {
		return belfry.LinkCounts{}, false
	}
	return c.Counts(), true
}

// countAll counts messages that were accepted, and what became of the next one.
func (c *tally) countAll(accepted int, err error) {
	c.published.Add(uint64(accepted))
	if err != nil {
		c.count(err)
	}
}

// count counts what became of a message.
func (c *tally) count(err error) {
	switch {
	case err == nil:
		c.published.Add(1)
	case errors.Is(err, belfry.ErrDuplicate):
		c.duplicates.Add(1)
	case errors.Is(err, belfry.ErrUnavailable):
		c.unavailable.Add(1)
	case errors.Is(err, belfry.ErrInDoubt), errors.Is(err, context.DeadlineExceeded):
		c.inDoubt.Add(1)
	default:
		c.failed.Add(1)
	}
}

// deliveredTo counts a message and the members that got it.
func (c *tally) deliveredTo(members int) {
	c.received.Add(1)
	if members > 0 {
		c.delivered.Add(uint64(members))
	}
}

// size returns how many members and rooms there are.
func (r *Rooms) size() (members, rooms int) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.members.inUse(), r.rooms.inUse()
}
