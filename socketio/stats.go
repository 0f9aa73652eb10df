package socketio

import "sync/atomic"

// Stats count the sockets of a Server since it was made.
type Stats struct {
	// Fresh counts those that began anew, without a session to go on with; Recovered
	// those that went on with one. Lost counts those that wanted to and could not:
	// they began anew.
	Fresh, Recovered, Lost uint64
	// Refused counts those that were not let in.
	Refused uint64
	// Kept counts sessions that are there for clients that have lost their
	// connection; NotKept those that could not be stored.
	Kept, NotKept uint64
}

// counters are what Stats shows.
type counters struct {
	fresh, recovered, lost, refused, kept, notKept atomic.Uint64
}

// Stats reads the counters. Safe for concurrent use.
func (s *Server) Stats() Stats {
	c := &s.counters
	return Stats{
		Fresh: c.fresh.Load(), Recovered: c.recovered.Load(), Lost: c.lost.Load(),
		Refused: c.refused.Load(), Kept: c.kept.Load(), NotKept: c.notKept.Load(),
	}
}

// entered counts a socket that is connected. claimed says that its client wanted to go
// on with a session.
func (c *counters) entered(recovered, claimed bool) {
	switch {
	case recovered:
		c.recovered.Add(1)
	case claimed:
		c.lost.Add(1)
	default:
		c.fresh.Add(1)
	}
}
