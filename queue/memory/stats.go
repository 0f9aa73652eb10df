package memory

import (
	"cmp"
	"slices"
	"time"
)

// Stats are the figures of a queue.
type Stats struct {
	Length int // events that a group is not done with
	Dead   int // dead letters
	Groups []GroupStats
}

// GroupStats are those of a group.
type GroupStats struct {
	Name    string
	Pending int // delivered, and not done with
	Lag     int // not delivered yet
	// Oldest is the age of the oldest that is not done with. 0: there is none.
	Oldest time.Duration
}

// Stats returns the figures as they are now, groups by their names.
func (q *Queue) Stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.trim()
	s := Stats{Length: len(q.events), Dead: len(q.dead)}
	end := q.first + len(q.events)
	for _, g := range q.groups {
		stats := GroupStats{Name: g.name, Pending: len(g.pending), Lag: end - max(g.next, q.first)}
		oldest := g.next
		for number := range g.pending {
			oldest = min(oldest, number)
		}
		if oldest = max(oldest, q.first); oldest < end {
			stats.Oldest = max(time.Since(q.events[oldest-q.first].Time), 1)
		}
		s.Groups = append(s.Groups, stats)
	}
	slices.SortFunc(s.Groups, func(a, b GroupStats) int { return cmp.Compare(a.Name, b.Name) })
	return s
}
