package plain

import (
	"encoding/json"
	"slices"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/poll"
)

// MemberID implements hub.Member.
func (c *Conn) MemberID() belfry.SocketID { return c.id }

// Deliver implements hub.Member.
func (c *Conn) Deliver(d *hub.Delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state >= ended:
	case c.hold != nil:
		c.hold.keep(held{Delivery: d, joins: c.joins}, c.server.o.MaxHeld)
	case c.again(d):
	default:
		c.transmit(d)
		if d.Offset != "" {
			c.passed(d.Offset)
		}
	}
}

// passed notes that a message was sent as it came: all before it has been, too, and
// from here on rooms that were joined before are complete. c.mu is held.
func (c *Conn) passed(at belfry.Offset) {
	c.at = at
	if !c.fresh {
		return
	}
	c.fresh = false
	for i := range c.rooms {
		if c.rooms[i].from == "" {
			c.rooms[i].from = at
		}
	}
}

// transmit writes a message; c.mu is held.
func (c *Conn) transmit(d *hub.Delivery) {
	o := c.server.encode(d, c.stream)
	// Closed tells of a connection that is gone, or too slow.
	_ = c.out.Send(poll.Frame{Data: o.frame(c), Volatile: o.message.Volatile, Overflow: o.policy, Key: o.key, Cork: d.Cork})
}

// send writes what is for this client alone.
func (c *Conn) send(frame []byte) { _ = c.out.Send(poll.Frame{Data: frame}) }

// Answers to messages that want an ack of a client that gives none.
var cannotAnswer = hub.Answer{Args: []byte(`[{"error":{"message":"this client cannot answer: it has an event stream"}}]`)}

// DeliverAck implements hub.Member. The client answers by a request ack.
func (c *Conn) DeliverAck(d *hub.Delivery, done func(hub.Answer)) (forget func()) {
	if c.stream {
		c.Deliver(d)
		done(cannotAnswer)
		return func() {}
	}
	number, forget := c.awaitAck(done)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state >= ended:
	case c.hold != nil:
		c.hold.keep(held{Delivery: d, ack: number}, c.server.o.MaxHeld)
	default:
		c.transmitAck(d, number)
	}
	return forget
}

// transmitAck writes a message that wants an ack; c.mu is held.
func (c *Conn) transmitAck(d *hub.Delivery, number uint64) {
	c.send(messageFrame(d.Message, c.names(d.Message), number))
}

// awaitAck gives an ack a number.
func (c *Conn) awaitAck(done func(hub.Answer)) (number uint64, forget func()) {
	x := c.extra()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.acks == nil {
		x.acks = make(map[uint64]func(hub.Answer))
	}
	x.last++
	number = x.last
	x.acks[number] = done
	return number, func() { c.takeAck(number) }
}

// takeAck returns who waits for an ack, nil if nobody does.
func (c *Conn) takeAck(number uint64) func(hub.Answer) {
	x := c.extra()
	x.mu.Lock()
	defer x.mu.Unlock()
	done := x.acks[number]
	delete(x.acks, number)
	return done
}

// Disconnect implements hub.Member. There is nothing but the whole connection.
func (c *Conn) Disconnect(bool) { c.End(codeDisconnected, "disconnected by the server") }

// Describe implements hub.Member: as sockets of Socket.IO do.
func (c *Conn) Describe() []byte {
	rooms := append([]belfry.Room{belfry.Room(c.id)}, c.server.space.RoomsOf(c.memberSlot())...)
	address, front := "", "websocket"
	if a := c.out.RemoteAddr(); a != nil {
		address = a.String()
	}
	if c.stream {
		front = "sse"
	}
	b, _ := json.Marshal(map[string]any{ // strings only
		"id": c.id, "user": c.User(), "front": front, "rooms": slices.DeleteFunc(rooms, hub.Reserved),
		"handshake": map[string]any{"address": address, "headers": struct{}{}, "query": struct{}{}},
		"data":      struct{}{},
	})
	return b
}

// names are the rooms by which a message comes to this client, as far as it may see
// them. c.mu is held.
func (c *Conn) names(m *belfry.Message) []belfry.Room {
	if len(m.Target.Rooms) == 1 {
		return visible(m.Target.Rooms[0])
	}
	var names []belfry.Room
	for _, room := range m.Target.Rooms {
		if c.has(room) && !slices.Contains(names, room) {
			names = append(names, room)
		}
	}
	return names
}

// visible leaves out the rooms that stand for a user or one client: what comes by
// them is for the client itself.
func visible(room belfry.Room) []belfry.Room {
	if hub.Reserved(room) || isID(room) {
		return nil
	}
	return []belfry.Room{room}
}
