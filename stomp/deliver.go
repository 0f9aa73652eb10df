package stomp

import (
	"context"
	"encoding/json"
	"errors"
	"hash/maphash"
	"slices"
	"sync"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/poll/cork"
)

// MemberID implements hub.Member.
func (c *Conn) MemberID() belfry.SocketID { return c.id }

// Deliver implements hub.Member.
func (c *Conn) Deliver(d *hub.Delivery) {
	var out *outgoing
	for _, sub := range c.subs() {
		if !c.selects(sub, d.Target.Rooms) {
			continue
		}
		if out == nil {
			out = c.server.encode(d)
		}
		if sub.to.kind == topic || sub.to.name == out.event {
			c.send(out, sub, d.Cork, nil)
		}
	}
}

// selects reports whether a subscription shows what goes to one of the rooms. A
// queue shows what goes to its user, or to this very client.
func (c *Conn) selects(sub *subscription, rooms []belfry.Room) bool {
	for _, room := range rooms {
		if sub.to.kind == topic {
			if room == sub.room {
				return true
			}
			continue
		}
		if string(room) == string(c.id) || c.user != "" && room == hub.UserRoom(c.user) {
			return true
		}
	}
	return false
}

// send sends a MESSAGE. settled, if it is not nil, is called when the client has
// acknowledged it; of a subscription that does not, at once.
func (c *Conn) send(out *outgoing, sub *subscription, k *cork.Cork, settled func(ok bool)) {
	if sub.ack != auto {
		c.sendUnacked(out, sub, settled)
		return
	}
	c.pulse.wroteAt(c.server.wheel)
	f := poll.Frame{Data: out.share(sub, c.version), Volatile: out.message.Volatile, Overflow: out.policy, Cork: k}
	if f.Overflow == poll.KeepLatest {
		f.Key = out.latestKey(sub)
	}
	_ = c.ws.Send(f) // Closed tells of a connection that is gone, or too slow
	if settled != nil {
		settled(true)
	}
}

var keySeed = maphash.MakeSeed()

// latestKey is equal for the messages of which only the latest counts: those of
// the same event for the same subscription.
func (o *outgoing) latestKey(sub *subscription) uint64 {
	var h maphash.Hash
	h.SetSeed(keySeed)
	_, _ = h.WriteString(sub.id)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(o.event)
	return h.Sum64()
}

// Answers to an event that wants acks: what a client that has no arguments for its
// acknowledgement says.
var (
	acked  = hub.Answer{Args: []byte(`[]`)}
	nacked = hub.Answer{Args: []byte(`[{"error":{"message":"refused by the client (NACK)"}}]`)}
)

// DeliverAck implements hub.Member. The client answers by ACK or NACK; one that
// does not subscribe with acknowledgement has answered once it was sent to, as the
// protocol has it.
func (c *Conn) DeliverAck(d *hub.Delivery, done func(hub.Answer)) (forget func()) {
	var once sync.Once
	answer := func(ok bool) {
		once.Do(func() {
			if ok {
				done(acked)
			} else {
				done(nacked)
			}
		})
	}
	sent := false
	out := c.server.encode(d)
	for _, sub := range c.subs() {
		if c.selects(sub, d.Target.Rooms) && (sub.to.kind == topic || sub.to.name == out.event) {
			c.send(out, sub, nil, answer)
			sent = true
		}
	}
	if !sent {
		answer(true)
	}
	return func() { once.Do(func() {}) }
}

// Join implements hub.Member. A client sees of a room only what it subscribes to.
func (c *Conn) Join(rooms ...belfry.Room) error {
	ctx, cancel := context.WithTimeout(context.Background(), busTimeout)
	defer cancel()
	var errs []error
	for _, room := range rooms {
		errs = append(errs, c.join(ctx, room))
	}
	return errors.Join(errs...)
}

// Leave implements hub.Member. A subscription to such a room shows nothing more.
func (c *Conn) Leave(rooms ...belfry.Room) {
	for _, room := range rooms {
		c.server.space.Leave(c.memberSlot(), room)
	}
}

func (c *Conn) memberSlot() hub.Slot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slot
}

// Disconnect implements hub.Member. There is nothing but the whole connection.
func (c *Conn) Disconnect(bool) { c.fail(forbidden(errors.New("disconnected by the server")), "") }

// Describe implements hub.Member: as sockets of Socket.IO do, and with the user.
func (c *Conn) Describe() []byte {
	rooms := append([]belfry.Room{belfry.Room(c.id)}, c.server.space.RoomsOf(c.memberSlot())...)
	address := ""
	if a := c.ws.RemoteAddr(); a != nil {
		address = a.String()
	}
	b, _ := json.Marshal(map[string]any{ // strings only
		"id": c.id, "front": "stomp", "user": c.user, "rooms": slices.DeleteFunc(rooms, hub.Reserved),
		"handshake": map[string]any{"address": address, "headers": struct{}{}, "query": struct{}{}},
		"data":      struct{}{},
	})
	return b
}
