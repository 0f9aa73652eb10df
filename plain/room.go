package plain

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
)

// roomList is what a client is told of rooms that it has not asked about.
type roomList struct {
	Rooms []belfry.Room `json:"rooms"`
}

// leaveRoom answers a leave. To leave a room that the client is not in is no error.
func (c *Conn) leaveRoom(ctx context.Context, room belfry.Room) error {
	if err := checkRoom(room); err != nil {
		return err
	}
	c.forget(room)
	return c.attendOne(ctx, room)
}

// forget takes the client out of a room. It reports whether it was in it.
func (c *Conn) forget(room belfry.Room) bool {
	left, _ := c.server.space.Leave(c.memberSlot(), room)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rooms = slices.DeleteFunc(c.rooms, func(m membership) bool { return m.room == room })
	return left
}

// Join implements hub.Member: by the server. The client is told.
func (c *Conn) Join(rooms ...belfry.Room) error {
	ctx, cancel := context.WithTimeout(context.Background(), busTimeout)
	defer cancel()
	var errs []error
	var joined []belfry.Room
	for _, room := range rooms {
		fresh, _, err := c.server.space.Join(ctx, c.memberSlot(), room)
		switch {
		case errors.Is(err, hub.ErrNoMember): // it has gone meanwhile
		case err != nil:
			errs = append(errs, err)
		case fresh && !hub.Reserved(room):
			// The caller's string may be a part of a whole packet.
			joined = append(joined, belfry.Room(strings.Clone(string(room))))
		}
	}
	c.changed("joined", joined, func() {
		for _, room := range joined {
			c.note(room, "")
		}
	})
	return errors.Join(errs...)
}

// Leave implements hub.Member: by the server. The client is told.
func (c *Conn) Leave(rooms ...belfry.Room) {
	var left []belfry.Room
	for _, room := range rooms {
		if c.forget(room) && !hub.Reserved(room) {
			left = append(left, room)
		}
	}
	c.changed("left", left, func() {})
}

// changed tells the client, and the cluster, of rooms that the server has changed.
// note is called with c.mu held.
func (c *Conn) changed(what string, rooms []belfry.Room, note func()) {
	if len(rooms) == 0 {
		return
	}
	c.mu.Lock()
	note()
	if c.state == connected {
		c.send(c.notice(what, roomList{rooms}))
	}
	c.mu.Unlock()
	for _, room := range rooms {
		if c.server.keepsPresence(room) {
			c.push(item{do: func(ctx context.Context) { c.attendLater(ctx, room) }})
		}
	}
}

// gap tells the client that messages were lost.
func (c *Conn) gap() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state >= ended:
	case c.hold != nil:
		c.hold.keep(held{}, c.server.o.MaxHeld)
	case c.state == connected:
		c.tellGap()
	}
}

// tellGap names all rooms: nobody knows whose messages were lost. c.mu is held.
func (c *Conn) tellGap() {
	all := roomList{make([]belfry.Room, len(c.rooms))}
	for i := range c.rooms {
		all.Rooms[i] = c.rooms[i].room
	}
	c.send(c.notice("gap", all))
}

func (c *Conn) memberSlot() hub.Slot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slot
}
