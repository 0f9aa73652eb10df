package chat

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio"
)

// people keeps the lists of who is in which room right for the clients of one node.
//
// A node whose people change tells the other nodes so. Each node then asks the
// cluster who is there, and sends the answer to its own clients. A node asks
// again only when it has sent the last answer, so the last list that a client
// gets is from after the last change, whatever crossed on the way.
//
// Whoever is missing from an answer stays in the list for the grace, since most
// connections that are lost come back at once. Someone who left on purpose goes
// at once. What no node could tell, such as the crash of a node, shows when the
// others ask next, which they do every patrol at the latest.
type people struct {
	server *socketio.Server
	grace  time.Duration
	rooms  map[belfry.Room]*watched // those with people of this node; used by run only
	wake   chan struct{}            // holds one
	stop   context.CancelFunc
	done   chan struct{}

	mu    sync.Mutex
	noted map[belfry.Room]change
}

// change is what has changed in a room.
type change struct {
	Room belfry.Room       `json:"room"`
	Left []belfry.SocketID `json:"left"` // on purpose
	tell bool              // the other nodes do not know yet
}

// watched is a room.
type watched struct {
	roster
	next time.Time // of the next look
}

const (
	changedEvent = "chat: people changed"
	patrol       = 30 * time.Second
)

func newPeople(srv *socketio.Server, grace time.Duration) *people {
	ctx, stop := context.WithCancel(context.Background())
	p := &people{
		server: srv, grace: grace, rooms: make(map[belfry.Room]*watched), noted: make(map[belfry.Room]change),
		wake: make(chan struct{}, 1), stop: stop, done: make(chan struct{}),
	}
	socketio.OnServerSide(srv.Namespace, changedEvent, p.told)
	go p.run(ctx)
	return p
}

func (p *people) close() {
	p.stop()
	<-p.done
}

// changed says that people of this node came to a room or went; left are those who
// will not come back. It does not block.
func (p *people) changed(room belfry.Room, left ...belfry.SocketID) {
	p.note(change{Room: room, Left: left, tell: true})
}

// told is changed, on another node.
func (p *people) told(_ context.Context, args socketio.Args) (socketio.None, error) {
	var c change
	if err := args.Decode(&c); err != nil {
		return socketio.None{}, err
	}
	p.note(c)
	return socketio.None{}, nil
}

func (p *people) note(c change) {
	p.mu.Lock()
	before := p.noted[c.Room]
	c.tell = c.tell || before.tell
	c.Left = append(before.Left, c.Left...)
	p.noted[c.Room] = c
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default: // run will see what was noted
	}
}

func (p *people) run(ctx context.Context) {
	defer close(p.done)
	look := time.NewTimer(patrol)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-look.C:
		}
		for _, c := range p.due() {
			p.refresh(ctx, c)
		}
		look.Reset(p.pause())
	}
}

// due returns the rooms to look at: those with changes, and those whose time has come.
func (p *people) due() map[belfry.Room]change {
	p.mu.Lock()
	due := p.noted
	p.noted = make(map[belfry.Room]change)
	p.mu.Unlock()
	now := time.Now()
	for room, w := range p.rooms {
		if _, is := due[room]; !is && !now.Before(w.next) {
			due[room] = change{Room: room}
		}
	}
	return due
}

// pause is how long nothing is due, if nothing changes.
func (p *people) pause() time.Duration {
	wait := patrol
	for _, w := range p.rooms {
		wait = min(wait, time.Until(w.next))
	}
	return wait
}

// refresh sends the list of a room to the clients of this node.
func (p *people) refresh(ctx context.Context, c change) {
	if c.tell {
		// If the cluster cannot be reached, the others find out on patrol.
		_ = p.server.ServerSideEmit(ctx, changedEvent, change{Room: c.Room, Left: append([]belfry.SocketID{}, c.Left...)})
	}
	room := p.server.In(c.Room)
	if here, err := room.Local().FetchSockets(ctx); err == nil && len(here) == 0 {
		delete(p.rooms, c.Room) // nobody here wants the list
		return
	}
	w := p.rooms[c.Room]
	if w == nil {
		w = &watched{roster: roster{grace: p.grace}}
		p.rooms[c.Room] = w
	}
	// A node that does not answer is one whose people are missing: they get the
	// grace, too.
	there, _ := room.FetchSockets(ctx)
	now := time.Now()
	w.forget(c.Left)
	list, next := w.update(describe(there), now)
	if w.next = now.Add(patrol); !next.IsZero() && next.Before(w.next) {
		w.next = next
	}
	_ = room.Local().Emit(ctx, "people", list)
}

func describe(sockets []socketio.RemoteSocket) []Person {
	list := make([]Person, 0, len(sockets))
	for _, s := range sockets {
		var is profile
		if json.Unmarshal(s.Data, &is) == nil && is.Name != "" {
			list = append(list, Person{ID: s.ID, Name: is.Name, Node: s.Node})
		}
	}
	return list
}
