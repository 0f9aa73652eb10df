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

	// guarded by pending.mu
	accepted bool // Redis has it
	orphan   bool // the connection broke that may have brought it back
}

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
}

// maxGhosts bounds what is remembered of echoes that never come.
const maxGhosts = 1024

func (q *pending) init() {
	// Not from 1: another run of a node with this id is another sender.
	q.last = uint64(rand.Uint32()) //nolint:gosec // tells runs apart, guards nothing
	q.wait = make(map[uint64]*publication)
	q.ghosts = make(map[uint64]struct{})
}

func (q *pending) add(m *belfry.Message, since place) *publication {
	p := &publication{message: m, channel: channelOf(m), sequenced: sequenced(m), since: since, delivered: make(chan struct{})}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.last++
	p.count = q.last
	q.wait[p.count] = p
	return p
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

// accept notes that Redis has p, and reports whether its echo may be lost.
func (q *pending) accept(p *publication) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	p.accepted = true
	return p.orphan
}

// leaving returns those that wait for an echo on a channel that is followed no
// longer.
func (q *pending) leaving(channel string) (all []*publication) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for count, p := range q.wait {
		if p.channel == channel {
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
