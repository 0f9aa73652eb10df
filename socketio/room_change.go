package socketio

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

// changeRetry is when a function of OnRoomChange runs again that has failed.
const changeRetry = time.Second

// OnRoomChange calls f after changes of who is in a room (Presence) or of its
// State, on every node with members of the room; also when the change is the end
// of a node that has crashed. f asks for what it wants to know, within
// Options.AckTimeout.
//
// For each room f runs once at a time, in a goroutine that it may block. Changes
// that come while it runs make it run once more, so its last run is from after the
// last change. If it fails it runs again a second later. The leave of the last
// member on a node may not be told there: see RoomChanged.
func (n *Namespace) OnRoomChange(f func(ctx context.Context, room belfry.Room) error) {
	n.handlers.change(func(h *hooks) { h.roomChange = append(slices.Clip(h.roomChange), f) })
}

// RoomChanged has the functions of OnRoomChange run on this node as after a
// change: for what they want to know besides, such as a client that has recovered
// or left. It does not block.
func (n *Namespace) RoomChanged(room belfry.Room) {
	if len(n.handlers.load().roomChange) == 0 || !n.changes.begin(room) {
		return
	}
	if !n.space.Go(func() { n.tellChange(room) }) {
		n.changes.end(room) // the server is closed
	}
}

// tellChange runs until nothing has changed meanwhile.
func (n *Namespace) tellChange(room belfry.Room) {
	for again := true; again; again = n.changes.more(room) {
		for _, f := range n.handlers.load().roomChange {
			if err := n.guardChange(room, f); err != nil && !errors.Is(err, errPanic) {
				time.AfterFunc(changeRetry, func() { n.RoomChanged(room) })
			}
		}
	}
}

func (n *Namespace) guardChange(room belfry.Room, f func(context.Context, belfry.Room) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			n.server.opts.Logger.Error("panic in room change handler", "namespace", n.name, "room", room,
				"value", r, "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	ctx, cancel := n.server.busContext()
	defer cancel()
	return f(ctx, room)
}

// changes are the rooms of which a change is being told: true if there was another
// one meanwhile. The zero value is empty.
type changes struct {
	mu  sync.Mutex
	all map[belfry.Room]bool
}

// begin reports whether the caller is to tell of the change; if not, who tells
// already does so once more.
func (c *changes) begin(room belfry.Room) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = make(map[belfry.Room]bool)
	}
	_, busy := c.all[room]
	c.all[room] = busy
	return !busy
}

// more reports whether there was another change; if not, the telling has ended.
func (c *changes) more(room belfry.Room) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all[room] {
		c.all[room] = false
		return true
	}
	delete(c.all, room)
	return false
}

func (c *changes) end(room belfry.Room) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.all, room)
}
