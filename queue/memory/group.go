package memory

import (
	"time"
)

// group is what the consumers of a group share. It is under the lock of its queue.
type group struct {
	name    string
	next    int // the first number that nobody has got
	pending map[int]*holding
	handled window[struct{}] // IDs, for Dedup
}

// holding is an event that a consumer has.
type holding struct {
	consumer string
	seen     time.Time // the last sign of life
	tries    int
}

// group returns the group of that name, a new one if there is none.
func (q *Queue) group(name string) *group {
	g := q.groups[name]
	if g == nil {
		g = &group{name: name, next: q.first, pending: make(map[int]*holding)}
		q.groups[name] = g
	}
	return g
}

func (g *group) isDone(number int) bool { return number < g.next && g.pending[number] == nil }

// end makes an event one that the group is done with. It reports whether it was not.
func (g *group) end(number int) bool {
	if g.pending[number] == nil {
		return false
	}
	delete(g.pending, number)
	return true
}
