package meet

import (
	"context"
	"sync"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio"
)

// rooms tells the clients of one node what changes in their rooms.
//
// A change of presence or state, on whatever node, only calls changed. That asks
// the cluster how the room is now, and tells the clients what is different from
// what they were told before. So what a client hears last is from after the last
// change, whatever crossed on the way, and the end of a node that has crashed is a
// change like any other.
type rooms struct {
	server *socketio.Server

	mu  sync.Mutex
	all map[belfry.Room]*room // those with clients on this node
}

// room is what the clients of this node know of a room.
type room struct {
	name  belfry.Room
	told  Stats // used by changed only
	known bool  // told is what clients were told
	// expected are those who have to be told who is there; guarded by rooms.mu.
	expected map[belfry.SocketID]bool
}

func newRooms(srv *socketio.Server) *rooms {
	return &rooms{server: srv, all: make(map[belfry.Room]*room)}
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

// get returns the room, a new one if it is not there; r.mu is held.
func (r *rooms) get(name belfry.Room) *room {
	if r.all[name] == nil {
		r.all[name] = &room{name: name, expected: make(map[belfry.SocketID]bool)}
	}
	return r.all[name]
}

// expect says that a socket is about to join: it is told who is there before it
// is told anything else of the room.
func (r *rooms) expect(name belfry.Room, id belfry.SocketID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.get(name).expected[id] = true
}

// left says that a socket is not in the room, or not on this node.
func (r *rooms) left(name belfry.Room, id belfry.SocketID) {
	r.mu.Lock()
	delete(r.get(name).expected, id)
	r.mu.Unlock()
	r.server.RoomChanged(name)
}

// changed tells the clients how the room is now. It is called once at a time for
// each room, and again after a change that came meanwhile.
func (r *rooms) changed(ctx context.Context, name belfry.Room) error {
	if !Keeps(name) {
		return nil
	}
	now, err := statsOf(ctx, r.server, name)
	if err != nil {
		return err
	}
	r.mu.Lock()
	room := r.get(name)
	r.mu.Unlock()
	listeners := r.publish(ctx, room, now)
	r.mu.Lock()
	defer r.mu.Unlock()
	if listeners == 0 && len(room.expected) == 0 {
		delete(r.all, name)
	}
	return nil
}
