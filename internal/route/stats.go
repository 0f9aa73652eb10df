package route

import (
	"errors"
	"sync/atomic"
)

// Stats count what has become of events since a Router was made.
type Stats struct {
	// Unrouted counts events that no route takes.
	Unrouted uint64
	Routes   []Outcomes // in their order
}

// Outcomes are those of one route.
type Outcomes struct {
	Event string // as configured: a name or a pattern
	// Accepted counts events that are where they belong.
	Accepted uint64
	// Forbidden, Invalid, Unavailable and InDoubt count those that are not, by the
	// Code of their error.
	Forbidden, Invalid, Unavailable, InDoubt uint64
	// Answered, Rejected and Timeout count what became of those of Accepted whose
	// clients wait for a backend.
	Answered, Rejected, Timeout uint64
}

// counters are what Outcomes shows.
type counters struct {
	accepted, forbidden, invalid, unavailable, inDoubt, answered, rejected, timeout atomic.Uint64
}

// Stats reads the counters. Safe for concurrent use.
func (r *Router) Stats() Stats {
	s := Stats{Unrouted: r.unrouted.Load()}
	for _, c := range r.routes {
		n := &c.counters
		s.Routes = append(s.Routes, Outcomes{
			Event: c.route.Event, Accepted: n.accepted.Load(),
			Forbidden: n.forbidden.Load(), Invalid: n.invalid.Load(), Unavailable: n.unavailable.Load(), InDoubt: n.inDoubt.Load(),
			Answered: n.answered.Load(), Rejected: n.rejected.Load(), Timeout: n.timeout.Load(),
		})
	}
	return s
}

// routed counts what Route returns.
func (c *counters) routed(err *Error) {
	if err == nil {
		c.accepted.Add(1)
		return
	}
	switch err.Code {
	case Forbidden:
		c.forbidden.Add(1)
	case Invalid:
		c.invalid.Add(1)
	case InDoubt:
		c.inDoubt.Add(1)
	default:
		c.unavailable.Add(1)
	}
}

// awaited counts what Await returns.
func (c *counters) awaited(err error) {
	var own *Error
	switch {
	case err == nil:
		c.answered.Add(1)
	case errors.As(err, &own) && own.Code == Rejected:
		c.rejected.Add(1)
	default:
		c.timeout.Add(1)
	}
}
