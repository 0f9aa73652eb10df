package plain

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
)

// arrival is what a client enters, and after which offset it goes on.
type arrival struct {
	rooms []belfry.Room
	after *belfry.Offset // nil: from now on
	meta  json.RawMessage
	first bool          // it connects
	tell  func(entered) // answers; deliveries follow
}

// entered answers an arrival.
type entered struct {
	ID   belfry.SocketID `json:"id,omitempty"` // of a connect
	User string          `json:"user,omitempty"`
	// Offset is where the rooms begin: what was sent to them after it follows, or is
	// there for who resumes after it. Empty: the bus keeps no log.
	Offset belfry.Offset `json:"offset,omitempty"`
	// Recovered says, to who gave an offset, whether nothing is missing after it.
	Recovered *bool `json:"recovered,omitempty"`
	// Missed is how many messages follow that come from the log.
	Missed int `json:"missed,omitempty"`
}

// enter makes the client a member of rooms and sends what it has missed. On an error
// it is in none of those that it was not in before.
func (c *Conn) enter(ctx context.Context, a *arrival) error {
	if !c.holdBack() {
		return context.Canceled // it has gone
	}
	how, missed, err := c.prepare(ctx, a)
	if err != nil {
		if !a.first { // else the connection ends
			c.release(ctx, nil)
		}
		return err
	}
	if a.first {
		c.server.counters.entered(how)
	}
	a.tell(how)
	c.release(ctx, missed)
	return nil
}

// prepare does all of it but the sending. The bus is waited for no longer than
// busTimeout.
func (c *Conn) prepare(ctx context.Context, a *arrival) (how entered, missed []*belfry.Message, err error) {
	ctx, cancel := context.WithTimeout(ctx, busTimeout)
	defer cancel()
	now, err := c.position(ctx, a)
	if err != nil {
		return how, nil, err
	}
	how.Offset = now
	joined, err := c.joinAll(ctx, a)
	if err == nil && a.after != nil {
		missed, how, err = c.catchUp(ctx, a, now)
	}
	if err == nil {
		err = c.attendAll(ctx, joined, a.meta)
	}
	if err != nil {
		c.withdraw(joined)
		return how, nil, err
	}
	how.Missed = len(missed)
	if a.first {
		how.ID, how.User = c.id, c.User()
	}
	c.settle(a, how, missed)
	return how, missed, nil
}

// position is where rooms begin that are entered now. While the client has a position
// already, that is it: what it has got of other rooms must not be left behind.
func (c *Conn) position(ctx context.Context, a *arrival) (belfry.Offset, error) {
	c.mu.Lock()
	at := c.at
	c.mu.Unlock()
	if !c.server.logs || at != "" && a.after == nil {
		return at, nil
	}
	// Before the first room is joined: what comes after it is not missed.
	return c.server.space.Position(ctx)
}

// joinAll returns the rooms that the client was not in.
func (c *Conn) joinAll(ctx context.Context, a *arrival) (joined []belfry.Room, err error) {
	if a.first {
		if err := c.appear(ctx); err != nil {
			return nil, err
		}
	}
	slot := c.memberSlot()
	for _, room := range a.rooms {
		fresh, _, err := c.server.space.Join(ctx, slot, room)
		switch {
		case errors.Is(err, hub.ErrNoMember):
			return joined, context.Canceled
		case err != nil:
			return joined, err
		case fresh:
			joined = append(joined, room)
		}
	}
	return joined, nil
}

// withdraw leaves rooms that were joined in vain.
func (c *Conn) withdraw(joined []belfry.Room) {
	for _, room := range joined {
		c.server.space.Leave(c.memberSlot(), room)
	}
}

// catchUp finds what the rooms of an arrival got after its offset. If the log does
// not reach back to it, that is what they got after now.
func (c *Conn) catchUp(ctx context.Context, a *arrival, now belfry.Offset) ([]*belfry.Message, entered, error) {
	recovered := false
	if !c.server.logs {
		return nil, entered{Recovered: &recovered}, nil
	}
	missed, err := c.missed(ctx, a, *a.after)
	if err == nil {
		recovered = true
		return missed, entered{Offset: *a.after, Recovered: &recovered}, nil
	}
	if errors.Is(err, belfry.ErrNoOffset) {
		missed, err = c.missed(ctx, a, now)
	}
	return missed, entered{Offset: now, Recovered: &recovered}, err
}

// missed reads the log.
func (c *Conn) missed(ctx context.Context, a *arrival, after belfry.Offset) ([]*belfry.Message, error) {
	s := &belfry.Session{}
	if a.first {
		// What was sent to everybody, and to the user. This id is new.
		s.Since, s.Socket = after, c.id
		for _, room := range c.own() {
			s.Rooms = append(s.Rooms, belfry.Membership{Room: room, Since: after})
		}
	}
	for _, room := range a.rooms {
		s.Rooms = append(s.Rooms, belfry.Membership{Room: room, Since: after})
	}
	all, err := c.server.space.Missed(ctx, s, after)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(all, c.passedOver), nil
}

// passedOver reports whether a message of the log is not to be sent again: the client
// has got it by a room that it was in already, or was left out because of one. c.mu is
// held.
func (c *Conn) passedOver(m *belfry.Message) bool {
	return slices.ContainsFunc(c.rooms, func(in membership) bool {
		if in.from == "" || c.server.space.Before(m.Offset, in.from) || c.server.space.Before(c.at, m.Offset) {
			return false
		}
		return slices.Contains(m.Target.Rooms, in.room) || slices.Contains(m.Target.Except, in.room)
	})
}

// settle notes what the client has entered.
func (c *Conn) settle(a *arrival, how entered, missed []*belfry.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a.first && c.state == waiting {
		c.state = connected
		c.startPulse()
	}
	from := belfry.Offset("")
	if a.after != nil {
		from = how.Offset
	}
	for _, room := range a.rooms {
		c.note(room, from)
	}
	last := how.Offset
	if len(missed) > 0 {
		last = missed[len(missed)-1].Offset
	}
	if from != "" {
		// Also if nothing was missed: this node may be behind the one before.
		c.caught = &caught{last, a.rooms, a.first, c.caught}
	}
	if a.first {
		c.at = last // with a later join, the client may not have so much of its other rooms
	}
}

// caught is what a client has got from the log. The log is ahead of what this node has
// delivered: the same is still to come from there.
type caught struct {
	last  belfry.Offset
	rooms []belfry.Room
	all   bool // not only of rooms
	next  *caught
}

// has reports whether a message is one of those.
func (g *caught) has(m *belfry.Message) bool {
	return g.all || slices.ContainsFunc(m.Target.Rooms, func(room belfry.Room) bool { return slices.Contains(g.rooms, room) })
}

// again reports whether a delivery is one that the client has got from the log; c.mu
// is held.
func (c *Conn) again(d *hub.Delivery) bool {
	if d.Offset == "" {
		return false
	}
	for g := &c.caught; *g != nil; {
		switch {
		case c.server.space.Before((*g).last, d.Offset):
			*g = (*g).next // the log's order: none comes any more
		case (*g).has(d.Message):
			return true
		default:
			g = &(*g).next
		}
	}
	return false
}

// note adds a room to those that the client is in; c.mu is held.
func (c *Conn) note(room belfry.Room, from belfry.Offset) {
	if from == "" {
		c.fresh = true
		c.joins++
	}
	for i := range c.rooms {
		if c.rooms[i].room == room {
			c.rooms[i].from = from
			return
		}
	}
	c.rooms = append(slices.Grow(c.rooms, 1), membership{room, from})
}

// hold is what was delivered while the client catches up.
type hold struct {
	all   []held
	bytes int
	over  bool // there was too much
}

// held is one delivery; the zero value: messages were lost here.
type held struct {
	*hub.Delivery
	ack   uint64 // 0: none is wanted
	joins uint32 // Conn.joins when it came
}

// heldCost is about what a delivery takes besides its data.
const heldCost = 256

// holdBack lets deliveries wait from now on. It reports false if the connection has
// ended. release follows.
func (c *Conn) holdBack() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state >= ended {
		return false
	}
	c.hold = new(hold)
	return true
}

// keep holds a delivery back; c.mu is held.
func (h *hold) keep(d held, limit int) {
	if d.Delivery != nil {
		if d.Volatile {
			return // it cannot be written at once
		}
		h.bytes += heldCost + len(d.Data)
	}
	if h.bytes > limit {
		h.over, h.all = true, nil
	}
	if !h.over {
		h.all = append(h.all, d)
	}
}

// release sends what was missed, then what was held back and has not come from there,
// until nothing is left: then deliveries go out at once again.
func (c *Conn) release(ctx context.Context, missed []*belfry.Message) {
	for _, m := range missed {
		if !c.pace(ctx) {
			return
		}
		c.mu.Lock()
		c.transmit(&hub.Delivery{Message: m})
		c.mu.Unlock()
	}
	for {
		all, more := c.takeHeld()
		if !more {
			return
		}
		for _, d := range all {
			if !c.pace(ctx) {
				return
			}
			c.sendHeld(d)
		}
	}
}

func (c *Conn) sendHeld(d held) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case d.Delivery == nil:
		c.tellGap()
	case d.ack != 0:
		c.transmitAck(d.Delivery, d.ack)
	case c.again(d.Delivery):
	default:
		c.transmit(d.Delivery)
		switch {
		case d.Offset == "":
		case d.joins == c.joins:
			c.passed(d.Offset)
		default:
			c.at = d.Offset // it may be from before the latest join
		}
	}
}

// takeHeld returns what waits. more is false if nothing does, and then nothing will.
func (c *Conn) takeHeld() (all []held, more bool) {
	c.mu.Lock()
	h := c.hold
	switch {
	case h == nil: // the connection has ended
		c.mu.Unlock()
		return nil, false
	case h.over:
		c.mu.Unlock()
		c.End(codeSlow, "more came than could be sent meanwhile: come back")
		return nil, false
	case len(h.all) == 0:
		c.hold = nil
		c.mu.Unlock()
		return nil, false
	}
	all, h.all, h.bytes = h.all, nil, 0
	c.mu.Unlock()
	return all, true
}

const (
	// paceBytes may wait to be written before the next message of a replay is.
	paceBytes = 64 << 10
	paceStep  = 2 * time.Millisecond
)

// pace waits until the client has read what was sent. It reports false if the client
// has gone.
func (c *Conn) pace(ctx context.Context) bool {
	if c.out.Buffered() <= paceBytes {
		return ctx.Err() == nil
	}
	tick := time.NewTicker(paceStep)
	defer tick.Stop()
	for c.out.Buffered() > paceBytes {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}
