package memory

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Enter implements belfry.Presence.
func (l *link) Enter(ctx context.Context, s belfry.Stay, e belfry.Entrance) (p belfry.Present, err error) {
	if changeErr := l.change(ctx, s.Place, func() []*belfry.Message {
		var told []*belfry.Message
		p, told, err = l.bus.presence.enter(s, e, l.id)
		return told
	}); changeErr != nil {
		return belfry.Present{}, changeErr
	}
	return p, err
}

// Exit implements belfry.Presence.
func (l *link) Exit(ctx context.Context, s belfry.Stay, away time.Duration) error {
	return l.change(ctx, s.Place, func() []*belfry.Message {
		return l.bus.presence.exit(s, l.id, away)
	})
}

// Members implements belfry.Presence.
func (l *link) Members(ctx context.Context, at belfry.Place) ([]belfry.Present, error) {
	if err := l.usable(ctx); err != nil {
		return nil, err
	}
	return l.bus.presence.list(at), nil
}

// Count implements belfry.Presence.
func (l *link) Count(ctx context.Context, at belfry.Place) (int, error) {
	if err := l.usable(ctx); err != nil {
		return 0, err
	}
	return l.bus.presence.count(at), nil
}

// change runs f, then tells the room what it returns, in one turn of the room:
// so the room hears of changes in their order.
func (l *link) change(ctx context.Context, at belfry.Place, f func() []*belfry.Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !l.gate.enter() {
		return belfry.ErrClosed
	}
	defer l.gate.leave()
	return l.bus.change(ctx, l, at, f)
}

// change does the same; from is nil if no node asked for the change. All turns
// are taken before f, so that it is not done without being told.
func (b *Bus) change(ctx context.Context, from *link, at belfry.Place, f func() []*belfry.Message) error {
	mine := b.rooms.room(at.Namespace, at.Room)
	if err := b.rooms.take(ctx, mine); err != nil {
		return err
	}
	defer b.rooms.give(mine)
	if b.log != nil {
		if err := b.log.turn.take(ctx); err != nil {
			return err
		}
		defer b.log.turn.give()
	}
	for _, m := range f() {
		if b.log != nil {
			b.log.append(m)
		}
		b.tell(from, m)
	}
	return nil
}

// tell is deliver for a message that no node has published.
func (b *Bus) tell(from *link, m *belfry.Message) {
	if from != nil {
		from.node.Deliver(m) // Close of from waits for this
	}
	for _, l := range *b.links.Load() {
		if l != from {
			l.deliver(m)
		}
	}
}

// enter makes a socket present.
func (p *presence) enter(s belfry.Stay, e belfry.Entrance, node belfry.NodeID) (belfry.Present, []*belfry.Message, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x := p.find(s)
	switch {
	case x == nil && e.Kind == belfry.Amend, e.Kind == belfry.Amend && !x.of(s, node):
		return belfry.Present{}, nil, belfry.ErrNotPresent
	case x == nil:
		return p.arrive(s, e, node)
	}
	p.here(x)
	x.present.Node, x.hold, x.back = node, s.Hold, e.Back
	same := x.present.User == e.User && bytes.Equal(x.present.Meta, e.Meta)
	if same || e.Kind == belfry.Return {
		return x.present, nil, nil
	}
	now := x.present
	now.User, now.Meta, now.Version = e.User, e.Meta, p.next()
	m, err := told(s.Place, belfry.EventPresenceUpdate, &now)
	if err != nil {
		return belfry.Present{}, nil, err
	}
	x.present = now
	return now, []*belfry.Message{m}, nil
}

func (p *presence) arrive(s belfry.Stay, e belfry.Entrance, node belfry.NodeID) (belfry.Present, []*belfry.Message, error) {
	x := &stay{Stay: s, hold: s.Hold, back: e.Back, index: notAway}
	x.present = belfry.Present{
		ID: s.Socket, User: e.User, Meta: e.Meta, Node: node,
		JoinedAt: time.Now().UTC().Truncate(time.Microsecond), Version: p.next(),
	}
	m, err := told(s.Place, belfry.EventPresenceJoin, &x.present)
	if err != nil {
		return belfry.Present{}, nil, err
	}
	p.add(x)
	return x.present, []*belfry.Message{m}, nil
}

// exit ends a stay or lets it be away.
func (p *presence) exit(s belfry.Stay, node belfry.NodeID, away time.Duration) []*belfry.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	x := p.find(s)
	switch {
	case x == nil || !x.of(s, node):
		return nil
	case away > 0:
		p.leaveIn(x, away)
		return nil
	}
	return p.remove(x)
}

// expire ends the stay of a socket that has not come back in time.
func (p *presence) expire(x *stay) []*belfry.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	if x.index == notAway || time.Now().Before(x.until) {
		return nil // it has come back, or has gone
	}
	return p.remove(x)
}

// remove takes a member out of its room and returns what the others are told: the
// entries that end with it, then that it left.
func (p *presence) remove(x *stay) (all []*belfry.Message) {
	r := p.rooms[x.Place]
	p.drop(x)
	for _, key := range r.owned(x.Socket) {
		delete(r.entries, key)
		if len(r.members) > 0 {
			all = append(all, toldState(x.Place, &belfry.Entry{Key: key, Version: p.next()}))
		}
	}
	x.present.Version = p.next()
	return append(all, toldLeave(x.Place, &x.present))
}

// owned returns the keys of the entries that end with a member.
func (r *room) owned(by belfry.SocketID) (keys []string) {
	for key, e := range r.entries {
		if e.Owner == by {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func told(at belfry.Place, event string, p *belfry.Present) (*belfry.Message, error) {
	data, err := belfry.PresenceEvent(event, p)
	return news(at, data), err
}

// toldLeave and toldState encode nothing that could have no JSON form.
func toldLeave(at belfry.Place, p *belfry.Present) *belfry.Message {
	data, _ := belfry.LeaveEvent(p)
	return news(at, data)
}

func toldState(at belfry.Place, e *belfry.Entry) *belfry.Message {
	data, _ := belfry.StateEvent(e)
	return news(at, data)
}

func news(at belfry.Place, data []byte) *belfry.Message {
	return &belfry.Message{
		Kind: belfry.Emit, Namespace: at.Namespace, Target: belfry.Target{Rooms: []belfry.Room{at.Room}}, Data: data,
	}
}
