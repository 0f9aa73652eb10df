package meet

import (
	"context"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio"
)

// rooms tells the clients of one node what changes in their rooms.
//
// A change of presence or state only wakes it: it then asks the cluster how the
// room is now, and tells its own clients what is different from what it told them
// before. It asks again only when it has told them, so what a client hears last is
// from after the last change, whatever crossed on the way. The end of a node that
// has crashed is a change like any other.
type rooms struct {
	server *socketio.Server
	ctx    context.Context // ends with close
	stop   context.CancelFunc
	work   sync.WaitGroup

	mu  sync.Mutex
	all map[belfry.Room]*room // those with clients on this node
}

// room is what the clients of this node know of a room.
type room struct {
	name  belfry.Room
	told  Stats // used by the goroutine that tells
	known bool  // told is what clients were told

	// Guarded by rooms.mu:
	busy     bool                     // a goroutine tells
	again    bool                     // it has to ask again
	expected map[belfry.SocketID]bool // those who have to be told who is there
}

// retryAfter is when to ask the cluster again that could not answer.
const retryAfter = time.Second

func newRooms(srv *socketio.Server) *rooms {
	ctx, stop := context.WithCancel(context.Background())
	return &rooms{server: srv, ctx: ctx, stop: stop, all: make(map[belfry.Room]*room)}
}

func (r *rooms) close() {
	r.mu.Lock()
	r.stop()
	r.mu.Unlock()
	r.work.Wait()
}

// others is the number of rooms with clients on this node, but for that one.
func (r *rooms) others(name belfry.Room) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.all)
	if r.all[name] != nil {
		n--
	}
	return n
}

// expect says that a socket is about to join: it is told who is there before it
// is told anything else of the room.
func (r *rooms) expect(name belfry.Room, id belfry.SocketID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.get(name).expected[id] = true
}

// left says that s is not in the room, or not on this node.
func (r *rooms) left(name belfry.Room, id belfry.SocketID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	room := r.get(name)
	delete(room.expected, id)
	r.wake(room)
}

// changed says that the room is not as it was. It does not block.
func (r *rooms) changed(name belfry.Room) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wake(r.get(name))
}

// get returns the room, a new one if it is not there; r.mu is held.
func (r *rooms) get(name belfry.Room) *room {
	if r.all[name] == nil {
		r.all[name] = &room{name: name, expected: make(map[belfry.SocketID]bool)}
	}
	return r.all[name]
}

// wake has a goroutine tell the clients of the room; r.mu is held.
func (r *rooms) wake(room *room) {
	room.again = true
	if !room.busy && r.ctx.Err() == nil {
		room.busy = true
		r.work.Go(func() { r.tell(room) })
	}
}

// tell goes on until nothing has changed since it asked.
func (r *rooms) tell(room *room) {
	for listeners := 0; r.pending(room, listeners); {
		now, err := statsOf(r.ctx, r.server, room.name)
		if err != nil {
			r.retry(room)
			continue
		}
		listeners = r.publish(room, now)
	}
}

// pending reports whether to ask again. If not, the goroutine ends, and a room
// that nobody listens to is forgotten.
func (r *rooms) pending(room *room, listeners int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if room.again && r.ctx.Err() == nil {
		room.again = false
		return true
	}
	room.busy = false
	if listeners == 0 && len(room.expected) == 0 {
		delete(r.all, room.name)
	}
	return false
}

// retry waits, and has the room asked for again.
func (r *rooms) retry(room *room) {
	select {
	case <-time.After(retryAfter):
	case <-r.ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	room.again = true
}
