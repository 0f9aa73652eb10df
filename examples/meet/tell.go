package meet

import (
	"context"
	"slices"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio"
)

// publish tells the clients on this node how the room is now, and returns how
// many they are. Who is not among the users yet is told the next time.
func (r *rooms) publish(ctx context.Context, room *room, now Stats) (listeners int) {
	a := audience{ctx: ctx, Broadcast: r.server.To(room.name).Local()}
	for _, s := range r.server.Sockets(room.name) {
		if slices.ContainsFunc(now.Users, func(u User) bool { return u.SocketID == s.ID() }) {
			listeners++
		} else {
			a = a.without(s.ID())
		}
	}
	others := a
	for _, u := range r.arrived(room, now) {
		_ = r.server.To(belfry.Room(u.SocketID)).Local().Emit(ctx, "existing-users", now.others(u))
		others = others.without(u.SocketID)
	}
	if room.known {
		others.changes(room.told, now)
	}
	a.emit("room-users-updated", now.members())
	a.emit("room-stats-updated", now)
	room.told, room.known = now, true
	return listeners
}

// arrived returns those who were expected and are there.
func (r *rooms) arrived(room *room, now Stats) (here []User) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, u := range now.Users {
		if room.expected[u.SocketID] {
			delete(room.expected, u.SocketID)
			here = append(here, u)
		}
	}
	return here
}

// audience is who is told on this node.
type audience struct {
	socketio.Broadcast
	ctx context.Context
}

func (a audience) without(id belfry.SocketID) audience {
	a.Broadcast = a.Except(belfry.Room(id))
	return a
}

// emit does not go through the bus: what a client misses while it is away is in
// the lists that it gets when it is back. The only error is that of the encoding.
func (a audience) emit(event string, args ...any) { _ = a.Emit(a.ctx, event, args...) }

// about tells the others something of a user. The user's details come after the
// id, because Socket.IO clients take a string at the end of an event for the
// offset to recover from.
func (a audience) about(event string, u User) { a.without(u.SocketID).emit(event, u.ID, u) }

// changes tells what is different.
func (a audience) changes(before, now Stats) {
	for _, u := range before.Users {
		if !now.has(u) {
			a.about("user-left", u)
		}
	}
	for _, u := range now.Users {
		if !before.has(u) {
			a.about("user-joined", u)
		}
	}
	was, is := before.sharer(), now.sharer()
	if was.ID == is.ID {
		return
	}
	if now.has(was) {
		a.about("user-stopped-sharing", was)
	}
	if is.ID != "" {
		a.about("user-started-sharing", is)
	}
}
