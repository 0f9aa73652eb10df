package poll

import "time"

// backlog is what a connection has only while it is not idle. Backlogs are
// reused: see Group.idle.
type backlog struct {
	queue
	// first is what was read before the connection came here.
	first []byte
	// reason is what Handler.Closed will get.
	reason error
	// linger ends a Finish that takes too long.
	linger *time.Timer
}

// spare reports whether nothing is in b.
func (b *backlog) spare() bool {
	return b.queue.empty() && b.first == nil && b.reason == nil && b.linger == nil
}

func (g *Group) borrow() *backlog { return g.idle.Get().(*backlog) }

// giveBack takes a backlog that nobody refers to any more.
func (g *Group) giveBack(b *backlog) {
	b.queue.reset()
	b.first, b.reason, b.linger = nil, nil, nil
	g.idle.Put(b)
}
