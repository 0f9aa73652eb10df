package plain

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/seed-09a96375/belfry"
)

// members answers a request presence.
type members struct {
	Members []belfry.Present `json:"members"`
}

func (c *Conn) presence(ctx context.Context, room belfry.Room) (any, error) {
	if err := checkRoom(room); err != nil {
		return nil, err
	}
	if err := c.authorize(ctx, Presence, []belfry.Room{room}); err != nil {
		return nil, err
	}
	if !c.server.keepsPresence(room) {
		return nil, &Error{Code: codeNoPresence, Message: "the cluster does not keep who is in this room", Room: room}
	}
	all, err := c.server.space.Present(ctx, room)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b belfry.Present) int {
		return cmp.Or(a.JoinedAt.Compare(b.JoinedAt), cmp.Compare(a.ID, b.ID))
	})
	return members{append([]belfry.Present{}, all...)}, nil
}

// Who is present in which room is told to the cluster by the worker alone, so that
// the last that it tells is right.

// attendAll tells the cluster that the client has joined rooms.
func (c *Conn) attendAll(ctx context.Context, joined []belfry.Room, meta json.RawMessage) error {
	for i, room := range joined {
		if err := c.attend(ctx, room, meta); err != nil {
			for _, entered := range joined[:i] {
				c.exit(ctx, entered)
			}
			return err
		}
	}
	return nil
}

func (c *Conn) attend(ctx context.Context, room belfry.Room, meta json.RawMessage) error {
	if !c.server.keepsPresence(room) {
		return nil
	}
	stay := belfry.Stay{Place: belfry.Place{Room: room}, Socket: c.id, Hold: 1} // an id has one connection
	x := c.extra()
	if x.present == nil {
		x.present = make(map[belfry.Room]belfry.Stay)
	}
	x.present[room] = stay // also if Enter fails: it may have taken effect
	_, err := c.server.space.Enter(ctx, stay, belfry.Entrance{Kind: belfry.Arrive, User: c.User(), Meta: compact(meta)})
	if err != nil {
		c.exit(ctx, room)
	}
	return err
}

// attendOne makes the cluster know whether the client is in a room.
func (c *Conn) attendOne(ctx context.Context, room belfry.Room) error {
	c.mu.Lock()
	here := c.has(room)
	c.mu.Unlock()
	if here {
		return c.attend(ctx, room, nil)
	}
	c.exit(ctx, room)
	return nil
}

// attendLater is attendOne for what the server has changed: nobody waits for it.
func (c *Conn) attendLater(ctx context.Context, room belfry.Room) {
	ctx, cancel := context.WithTimeout(ctx, busTimeout)
	defer cancel()
	if err := c.attendOne(ctx, room); err != nil && ctx.Err() == nil {
		c.server.o.Logger.Warn("join not told: the client is not seen in the room", "client", c.id, "err", err)
	}
}

// exit tells the cluster that the client has left a room, if it was present there.
func (c *Conn) exit(ctx context.Context, room belfry.Room) {
	c.mu.Lock()
	x := c.more
	c.mu.Unlock()
	if x == nil {
		return
	}
	stay, there := x.present[room]
	if !there {
		return
	}
	delete(x.present, room)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), busTimeout)
	defer cancel()
	if err := c.server.space.Exit(ctx, stay, 0); err != nil && !errors.Is(err, belfry.ErrClosed) {
		c.server.o.Logger.Warn("leave not told: the client is seen until the bus notices", "client", c.id, "err", err)
	}
}

// leavePresence ends all stays.
func (c *Conn) leavePresence() {
	c.mu.Lock()
	x := c.more
	c.mu.Unlock()
	if x == nil {
		return
	}
	for room := range x.present {
		c.exit(context.Background(), room)
	}
}
