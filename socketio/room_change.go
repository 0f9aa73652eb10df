package socketio

import (
	"slices"

	"github.com/seed-09a96375/belfry"
)

// OnRoomChange calls f after each change of who is in a room (Presence) or of its
// State, on every node with members of the room; also when the change is the end
// of a node that has crashed. f asks for what it wants to know. It is called in
// the order of the changes and must not block.
//
// The leave of the last member on a node may not be told there.
func (n *Namespace) OnRoomChange(f func(room belfry.Room)) {
	n.handlers.change(func(h *hooks) { h.roomChange = append(slices.Clip(h.roomChange), f) })
}

func (n *Namespace) roomChanged(room belfry.Room) {
	for _, f := range n.handlers.load().roomChange {
		f(room)
	}
}
