package memory

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

// presence is who is in which room, and the state of rooms. A room is there while
// somebody is in it.
type presence struct {
	bus *Bus

	mu      sync.Mutex
	rooms   map[belfry.Place]*room
	version uint64      // of the last event
	away    returns     // those who may come back
	timer   *time.Timer // for the first of them; nil if there never was one
}

type room struct {
	members map[belfry.SocketID]*stay
	entries map[string]belfry.Entry
}

// stay is a socket in a room.
type stay struct {
	belfry.Stay

	present belfry.Present
	hold    uint64        // of the connection that has it
	back    time.Duration // how long it may be away when its node closes
	until   time.Time     // while it is away
	index   int           // in presence.away, or notAway
}

const notAway = -1

func newPresence(b *Bus) *presence {
	return &presence{bus: b, rooms: make(map[belfry.Place]*room)}
}

// of reports whether a connection has the stay.
func (x *stay) of(s belfry.Stay, node belfry.NodeID) bool {
	return x.present.Node == node && x.hold == s.Hold
}

// The methods that follow are called with p.mu held, but for list, count,
// abandon and sweep.

func (p *presence) next() uint64 {
	p.version++
	return p.version
}

func (p *presence) find(s belfry.Stay) *stay {
	r := p.rooms[s.Place]
	if r == nil {
		return nil
	}
	return r.members[s.Socket]
}

func (p *presence) add(x *stay) {
	r := p.rooms[x.Place]
	if r == nil {
		r = &room{members: make(map[belfry.SocketID]*stay), entries: make(map[string]belfry.Entry)}
		p.rooms[x.Place] = r
	}
	r.members[x.Socket] = x
}

func (p *presence) drop(x *stay) {
	p.here(x)
	r := p.rooms[x.Place]
	delete(r.members, x.Socket)
	if len(r.members) == 0 {
		delete(p.rooms, x.Place)
	}
}

// here ends an absence.
func (p *presence) here(x *stay) {
	if x.index != notAway {
		heap.Remove(&p.away, x.index)
	}
}

// leaveIn begins an absence.
func (p *presence) leaveIn(x *stay, d time.Duration) {
	p.here(x)
	x.until = time.Now().Add(d)
	heap.Push(&p.away, x)
	p.wake()
}

// wake sets the timer for the first absence to end.
func (p *presence) wake() {
	if len(p.away) == 0 {
		return
	}
	in := max(0, time.Until(p.away[0].until))
	if p.timer == nil {
		p.timer = time.AfterFunc(in, p.sweep)
		return
	}
	p.timer.Reset(in)
}

// sweep lets those leave whose time is over.
func (p *presence) sweep() {
	for _, x := range p.overdue() {
		_ = p.bus.change(context.Background(), nil, x.Place, func() []*belfry.Message { return p.expire(x) })
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake()
}

func (p *presence) overdue() (all []*stay) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for _, x := range p.away {
		if !now.Before(x.until) {
			all = append(all, x)
		}
	}
	return all
}

// abandon lets all be away that were on a node.
func (p *presence) abandon(node belfry.NodeID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.rooms {
		for _, x := range r.members {
			if x.present.Node == node && x.index == notAway {
				p.leaveIn(x, x.back)
			}
		}
	}
}

func (p *presence) list(at belfry.Place) []belfry.Present {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.rooms[at]
	if r == nil {
		return nil
	}
	all := make([]belfry.Present, 0, len(r.members))
	for _, x := range r.members {
		all = append(all, x.present)
	}
	return all
}

func (p *presence) count(at belfry.Place) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.rooms[at]; r != nil {
		return len(r.members)
	}
	return 0
}

// returns is a heap: whose absence ends first is at 0.
type returns []*stay

func (a returns) Len() int           { return len(a) }
func (a returns) Less(i, j int) bool { return a[i].until.Before(a[j].until) }
func (a returns) Swap(i, j int)      { a[i], a[j] = a[j], a[i]; a[i].index, a[j].index = i, j }

// Push implements heap.Interface.
func (a *returns) Push(v any) {
	x := v.(*stay)
	x.index = len(*a)
	*a = append(*a, x)
}

// Pop implements heap.Interface.
func (a *returns) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	(*a)[last] = nil
	*a = (*a)[:last]
	x.index = notAway
	return x
}
