package hub

import (
	"sync"

	"github.com/seed-09a96375/belfry"
)

// Hooks are told what happens to rooms; each func is optional. They are called
// one at a time, in the order of the changes, with no lock held: they may call
// the Rooms. While one caller's hooks run, another's wait for it and then run
// in the same goroutine: a method of Rooms may return before its own hooks have
// run, but not before they are certain to run. A hook that blocks delays all
// that follow.
type Hooks struct {
	// CreateRoom comes before the first JoinRoom of a room.
	CreateRoom func(name belfry.Room)
	JoinRoom   func(name belfry.Room, id belfry.SocketID)
	LeaveRoom  func(name belfry.Room, id belfry.SocketID)
	// DeleteRoom comes after the last LeaveRoom of a room.
	DeleteRoom func(name belfry.Room)
}

type changeKind uint8

const (
	roomCreated changeKind = iota
	roomJoined
	roomLeft
	roomDeleted
)

type change struct {
	kind changeKind
	room belfry.Room
	id   belfry.SocketID
}

// wanted reports whether anyone listens to changes of this kind.
func (h *Hooks) wanted(k changeKind) bool {
	switch k {
	case roomCreated:
		return h.CreateRoom != nil
	case roomJoined:
		return h.JoinRoom != nil
	case roomLeft:
		return h.LeaveRoom != nil
	default:
		return h.DeleteRoom != nil
	}
}

func (h *Hooks) none() bool {
	return h.CreateRoom == nil && h.JoinRoom == nil && h.LeaveRoom == nil && h.DeleteRoom == nil
}

func (h *Hooks) call(c change) {
	switch c.kind {
	case roomCreated:
		h.CreateRoom(c.room)
	case roomJoined:
		h.JoinRoom(c.room, c.id)
	case roomLeft:
		h.LeaveRoom(c.room, c.id)
	case roomDeleted:
		h.DeleteRoom(c.room)
	}
}

// changes holds what the hooks are still to be told.
type changes struct {
	mu      sync.Mutex
	waiting []change
	telling bool // some goroutine is in tell
}

// changed notes a change. The caller holds r.mu, which makes the order of notes
// the order of changes.
func (r *Rooms) changed(k changeKind, name belfry.Room, id belfry.SocketID) {
	if r.options.Hooks.wanted(k) {
		r.changes.add(change{k, name, id})
	}
}

// tell calls the hooks for what was noted, unless another goroutine does. The
// caller does not hold r.mu.
func (r *Rooms) tell() {
	if r.options.Hooks.none() || !r.changes.begin() {
		return
	}
	finished := false
	defer func() {
		if !finished { // a hook panicked: the next caller goes on after it
			r.changes.abandon()
		}
	}()
	for c, ok := r.changes.next(); ok; c, ok = r.changes.next() {
		r.options.Hooks.call(c)
	}
	finished = true
}

func (c *changes) add(x change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = append(c.waiting, x)
}

// begin reports whether the caller is to tell what waits.
func (c *changes) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.telling || len(c.waiting) == 0 {
		return false
	}
	c.telling = true
	return true
}

// next returns the oldest change; if there is none, the telling has ended.
func (c *changes) next() (change, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		c.waiting = nil
		c.telling = false
		return change{}, false
	}
	x := c.waiting[0]
	c.waiting = c.waiting[1:]
	return x, true
}

func (c *changes) abandon() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.telling = false
}
