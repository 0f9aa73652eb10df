package plain

import "sync/atomic"

// Stats count the clients of a Server since it was made, but for what is of now.
type Stats struct {
	// Fresh counts those that connected without an offset; Recovered those that went
	// on after one; Lost those whose offset the log does not reach back to.
	Fresh, Recovered, Lost uint64
	// Refused counts those that were not let in.
	Refused uint64
	// Streams is how many of Connections are event streams now.
	Streams int
}

// counters are what Stats shows.
type counters struct {
	fresh, recovered, lost, refused atomic.Uint64
	streams                         atomic.Int64
}

// Stats reads the counters. Safe for concurrent use.
func (s *Server) Stats() Stats {
	c := &s.counters
	return Stats{
		Fresh: c.fresh.Load(), Recovered: c.recovered.Load(), Lost: c.lost.Load(), Refused: c.refused.Load(),
		Streams: int(c.streams.Load()),
	}
}

// entered counts a client that is connected.
func (c *counters) entered(how entered) {
	switch {
	case how.Recovered == nil:
		c.fresh.Add(1)
	case *how.Recovered:
		c.recovered.Add(1)
	default:
		c.lost.Add(1)
	}
}
