package chat

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio"
)

// people keeps the list of who is in the room right for the clients of one node.
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
	roster roster        // used by run only
	wake   chan struct{} // holds one
	stop   context.CancelFunc
	done   chan struct{}

	mu   sync.Mutex
	tell bool              // the other nodes do not know yet
	left []belfry.SocketID // on purpose
}

const (
	changedEvent = "chat: people changed"
	patrol       = 30 * time.Second
)

func newPeople(srv *socketio.Server, grace time.Duration) *people {
	ctx, stop := context.WithCancel(context.Background())
	p := &people{
		server: srv, roster: roster{grace: grace},
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

// changed says that people of this node came or went; left are those who will
// not come back. It does not block.
func (p *people) changed(left ...belfry.SocketID) { p.note(true, left) }

// told is changed, on another node.
func (p *people) told(_ context.Context, args socketio.Args) (socketio.None, error) {
	var left []belfry.SocketID
	err := args.Decode(&left)
	p.note(false, left)
	return socketio.None{}, err
}

func (p *people) note(tell bool, left []belfry.SocketID) {
	p.mu.Lock()
	p.tell = p.tell || tell
	p.left = append(p.left, left...)
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default: // run will see what was noted
	}
}

func (p *people) run(ctx context.Context) {
	defer close(p.done)
	expiry := time.NewTimer(patrol)
	defer expiry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-expiry.C:
		}
		wait := patrol
		if next := p.refresh(ctx); !next.IsZero() {
			wait = min(wait, time.Until(next))
		}
		expiry.Reset(wait)
	}
}

// refresh sends the list to the clients of this node. It returns when it has to
// be called again, at the latest.
func (p *people) refresh(ctx context.Context) (next time.Time) {
	p.mu.Lock()
	tell, left := p.tell, p.left
	p.tell, p.left = false, nil
	p.mu.Unlock()
	if tell {
		// If the cluster cannot be reached, the others find out on patrol.
		_ = p.server.ServerSideEmit(ctx, changedEvent, append([]belfry.SocketID{}, left...))
	}
	// A node that does not answer is one whose people are missing: they get the
	// grace, too.
	there, _ := p.server.In(room).FetchSockets(ctx)
	p.roster.forget(left)
	list, next := p.roster.update(describe(there), time.Now())
	_ = p.server.In(room).Local().Emit(ctx, "people", list)
	return next
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
