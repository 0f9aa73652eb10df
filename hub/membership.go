package hub

import (
	"context"
	"encoding/json"

	"github.com/seed-09a96375/belfry"
)

// The methods of Space that follow are those of Rooms, with the bus told before a
// room has its first member on this node. Leaving never waits for the bus.

// Add makes m a member. See Rooms.Add. It waits for the bus no longer than ctx.
func (sp *Space) Add(ctx context.Context, m Member) (s Slot, err error) {
	i := sp.hub.interest
	if i == nil {
		return sp.Rooms.Add(m)
	}
	err = i.during(ctx, sp.own(m.MemberID()), func() (err error) {
		s, err = sp.Rooms.Add(m)
		return err
	})
	return s, err
}

// Join puts the member into the room. See Rooms.Join. It waits for the bus no
// longer than ctx.
func (sp *Space) Join(ctx context.Context, s Slot, name belfry.Room) (joined, created bool, err error) {
	i := sp.hub.interest
	if i == nil || name == "" {
		return sp.Rooms.Join(s, name)
	}
	err = i.during(ctx, sp.key(name), func() (err error) {
		joined, created, err = sp.Rooms.Join(s, name)
		return err
	})
	return joined, created, err
}

// Leave takes the member out of the room. See Rooms.Leave.
func (sp *Space) Leave(s Slot, name belfry.Room) (left, deleted bool) {
	left, deleted = sp.Rooms.Leave(s, name)
	if i := sp.hub.interest; i != nil && deleted {
		i.vacated(sp.key(name))
	}
	return left, deleted
}

// Remove takes a member out of the namespace. See Rooms.Remove.
func (sp *Space) Remove(s Slot, id belfry.SocketID) []belfry.Room {
	left := sp.Rooms.Remove(s)
	if i := sp.hub.interest; i != nil {
		keys := []roomKey{sp.own(id)}
		for _, name := range left {
			keys = append(keys, sp.key(name))
		}
		i.vacated(keys...)
	}
	return left
}

func (sp *Space) key(name belfry.Room) roomKey { return roomKey{sp.name, string(name), false} }

func (sp *Space) own(id belfry.SocketID) roomKey { return roomKey{sp.name, string(id), true} }

// answerJoin makes the selected members join rooms, then says so: only when all
// nodes have does the one that asked go on. It waits for the bus, so that it has
// a goroutine of its own.
func (h *Hub) answerJoin(sp *Space, m *belfry.Message) {
	var members []Member
	if sp != nil {
		members = sp.Select(nil, m.Target)
	}
	h.spawn(func() {
		ctx, cancel := h.answerContext(m)
		defer cancel()
		for _, mem := range members {
			sp.join(mem, m.Rooms)
		}
		body, err := json.Marshal(len(members))
		h.reply(ctx, m, &belfry.Reply{Body: body}, err)
	})
}

func (sp *Space) join(mem Member, rooms []belfry.Room) {
	if err := mem.Join(rooms...); err != nil {
		sp.hub.opts.Logger.Warn("join refused", "socket", mem.MemberID(), "err", err)
	}
}
