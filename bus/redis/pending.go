package redis

import (
	"math/rand/v2"
	"sync"

	"github.com/seed-09a96375/belfry"
)

// publication is a message of this node whose own Deliver has not run yet.
type publication struct {
	message   *belfry.Message
	count     uint64        // this node's number of it
	channel   string        // where it goes
	sequenced bool          // it gets a number
	since     place         // where the feed was when it began
	delivered chan struct{} // closed when Deliver has returned
	gone      chan struct{} // closed when Redis has lost it

	// guarded by pending.mu
	sure     bool   // its echo comes, unless the channel is left
	accepted bool   // Redis has it
	orphan   bool   // the connection broke that may have brought it back
	left     bool   // the channel was left
	epoch    epoch  // of the number
	seq      uint64 // its number once Redis has it, 0: none
}

func newPublication(m *belfry.Message, since place) *publication {
	return &publication{
		message: m, channel: channelOf(m), sequenced: sequenced(m), since: since,
		delivered: make(chan struct{}), gone: make(chan struct{}),
	}
}

// fate is what becomes of a message that Redis has accepted.
type fate uint8

const (
	comes   fate = iota // its echo will come
	stray               // its echo may be lost with the connection
	inDoubt             // nobody knows whether it has an echo
	left                // it has none: the channel was left
	lost                // it has none: Redis has lost the message
)

func (p *publication) isDelivered() bool {
	select {
	case <-p.delivered:
		return true
	default:
		return false
	}
}

// pending is the publications that wait.
type pending struct {
	mu     sync.Mutex
	last   uint64
	wait   map[uint64]*publication
	ghosts map[uint64]struct{} // delivered without their echo: it may still come
	ended  uint64              // all of epochs before this counter that was not lost is delivered
}

// maxGhosts bounds what is remembered of echoes that never come.
const maxGhosts = 1024

func (q *pending) init() {
	// Not from 1: another run of a node with this id is another sender.
	q.last = uint64(rand.Uint32()) //nolint:gosec // tells runs apart, guards nothing
	q.wait = make(map[uint64]*publication)
	q.ghosts = make(map[uint64]struct{})
}

// add gives p its number. From here on the feed may see it.
func (q *pending) add(p *publication) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.last++
	p.count = q.last
	q.wait[p.count] = p
}

// claim hands the publication to who delivers it; nil if nobody waits.
func (q *pending) claim(count uint64) *publication {
	q.mu.Lock()
	defer q.mu.Unlock()
	p := q.wait[count]
	delete(q.wait, count)
	return p
}

func (q *pending) forget(p *publication) { q.claim(p.count) }

// claimGhost claims a publication that will be delivered without its echo.
func (q *pending) claimGhost(count uint64) *publication {
	q.mu.Lock()
	defer q.mu.Unlock()
	p := q.wait[count]
	if p == nil {
		return nil
	}
	delete(q.wait, count)
	if len(q.ghosts) >= maxGhosts {
		clear(q.ghosts)
	}
	q.ghosts[count] = struct{}{}
	return p
}

// isGhost reports whether the echo is of a message that was delivered.
func (q *pending) isGhost(count uint64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, ok := q.ghosts[count]
	delete(q.ghosts, count)
	return ok
}

// orphaned marks all without a number: their echo may have been lost. It
// returns those that Redis has.
func (q *pending) orphaned() (accepted []*publication) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, p := range q.wait {
		if p.sequenced {
			continue // the log has it
		}
		p.orphan = true
		if p.accepted {
			accepted = append(accepted, p)
		}
	}
	return accepted
}

// numbered notes what Redis said of p. own says that it comes over the node's own
// channel.
func (q *pending) numbered(p *publication, e epoch, seq uint64, own bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	p.epoch, p.seq, p.sure = e, seq, p.sure || own
}

// accept notes that Redis has p.
func (q *pending) accept(p *publication) fate {
	q.mu.Lock()
	defer q.mu.Unlock()
	p.accepted = true
	switch {
	case p.left:
		delete(q.wait, p.count)
		return left
	case p.orphan:
		return stray
	case p.seq != 0 && p.epoch.counter < q.ended:
		return lost
	case !p.sure:
		return inDoubt
	}
	return comes
}

// expected reports whether p would have come back if Redis had it.
func (q *pending) expected(p *publication) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return p.sure && !p.left
}

// leave notes that a channel is followed no longer. It returns those that waited
// for an echo on it.
func (q *pending) leave(channel string) []*publication {
	return q.take(func(p *publication) bool {
		if p.channel != channel {
			return false
		}
		p.left = true
		return p.accepted
	})
}

// passed returns those that have a number up to which nothing of their channel is
// missing, and thus do not come any more.
func (q *pending) passed(channel string, e epoch, number uint64) []*publication {
	return q.take(func(p *publication) bool {
		return p.channel == channel && p.seq != 0 &&
			(p.epoch == e && p.seq <= number || !p.sure && p.epoch.counter < e.counter)
	})
}

// abandon tells the publishers of what was accepted in an earlier epoch than that
// of the counter and is not in the log: Redis has lost it.
func (q *pending) abandon(counter uint64) {
	for _, p := range q.end(counter) {
		close(p.gone)
	}
}

func (q *pending) end(counter uint64) []*publication {
	q.mu.Lock()
	q.ended = counter
	q.mu.Unlock()
	return q.take(func(p *publication) bool { return p.accepted && p.seq != 0 && p.epoch.counter < counter })
}

func (q *pending) take(which func(*publication) bool) (all []*publication) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for count, p := range q.wait {
		if which(p) {
			delete(q.wait, count)
			all = append(all, p)
		}
	}
	return all
}

// sequenced reports whether m gets a number and a place in the log: then nodes
// that miss it repair the gap.
func sequenced(m *belfry.Message) bool {
	return !m.Volatile && !m.Unlogged && m.Request == 0 && m.To == ""
}

// replayed reports whether a sequenced message is for clients that come back,
// and so has an Offset.
func replayed(m *belfry.Message) bool { return m.Kind == belfry.Emit && sequenced(m) }
