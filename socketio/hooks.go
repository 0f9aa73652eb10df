package socketio

import (
	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
)

// Hooks watch rooms come and go on this node; every func is optional. They are
// called in the order of the changes and must not block. A socket's own room is
// not reported.
type Hooks struct {
	CreateRoom func(namespace string, room belfry.Room)
	JoinRoom   func(namespace string, room belfry.Room, id belfry.SocketID)
	LeaveRoom  func(namespace string, room belfry.Room, id belfry.SocketID)
	DeleteRoom func(namespace string, room belfry.Room)
}

func (h Hooks) forNamespace(name string) hub.Hooks {
	var out hub.Hooks
	if h.CreateRoom != nil {
		out.CreateRoom = func(r belfry.Room) { unlessReserved(r, func() { h.CreateRoom(name, r) }) }
	}
	if h.JoinRoom != nil {
		out.JoinRoom = func(r belfry.Room, id belfry.SocketID) { unlessReserved(r, func() { h.JoinRoom(name, r, id) }) }
	}
	if h.LeaveRoom != nil {
		out.LeaveRoom = func(r belfry.Room, id belfry.SocketID) { unlessReserved(r, func() { h.LeaveRoom(name, r, id) }) }
	}
	if h.DeleteRoom != nil {
		out.DeleteRoom = func(r belfry.Room) { unlessReserved(r, func() { h.DeleteRoom(name, r) }) }
	}
	return out
}

func unlessReserved(room belfry.Room, f func()) {
	if !hub.Reserved(room) {
		f()
	}
}
