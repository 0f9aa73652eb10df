package stomp

import (
	"context"
	"errors"
	"slices"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/stomp/frame"
)

// ackMode is what a subscription wants to be asked.
type ackMode uint8

const (
	auto       ackMode = iota // nothing
	cumulative                // an ACK settles all that came before, too
	individual                // an ACK settles one message
)

// subscription is one SUBSCRIBE. It does not change.
type subscription struct {
	id          string
	destination string // as the client wrote it
	to          destination
	room        belfry.Room // topic
	ack         ackMode
	head        string // what its MESSAGE frames begin with
}

// subs returns the subscriptions of now.
func (c *Conn) subs() []*subscription {
	if all := c.subscriptions.Load(); all != nil {
		return *all
	}
	return nil
}

func (c *Conn) subscribe(ctx context.Context, f *frame.Frame) error {
	sub, err := newSubscription(f, c.version)
	if err != nil {
		return err
	}
	all := c.subs()
	if len(all) >= c.server.o.MaxSubscriptions {
		return invalid("more than %d subscriptions", c.server.o.MaxSubscriptions)
	}
	if slices.ContainsFunc(all, func(s *subscription) bool { return s.id == sub.id }) {
		return invalid("subscription %q exists already", sub.id)
	}
	if err := c.authorize(ctx, Subscribe, sub.destination); err != nil {
		return err
	}
	all = append(slices.Clone(all), sub)
	c.subscriptions.Store(&all)
	if sub.to.kind != topic {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, busTimeout)
	defer cancel()
	return c.join(ctx, sub.room)
}

func newSubscription(f *frame.Frame, v frame.Version) (*subscription, error) {
	sub := &subscription{id: f.Value("id"), destination: f.Value("destination")}
	if sub.id == "" {
		if v > frame.V10 {
			return nil, invalid("SUBSCRIBE without an id")
		}
		sub.id = sub.destination // 1.0 knows subscriptions by their destinations, too
	}
	switch mode := f.Value("ack"); mode {
	case "", "auto":
	case "client":
		sub.ack = cumulative
	case "client-individual":
		sub.ack = individual
	default:
		return nil, invalid("ack must be auto, client or client-individual, not %q", mode)
	}
	var err error
	if sub.to, err = parseDestination(sub.destination); err != nil {
		return nil, err
	}
	if sub.to.kind == app || sub.to.user != "" {
		return nil, invalid("destination %q can be sent to, not subscribed to", sub.destination)
	}
	if sub.to.kind == topic {
		sub.room = belfry.Room(sub.to.name)
	}
	sub.head = sub.newHead(v)
	return sub, nil
}

func (c *Conn) unsubscribe(f *frame.Frame) error {
	id := f.Value("id")
	if id == "" && c.version == frame.V10 {
		id = f.Value("destination")
	}
	all := c.subs()
	i := slices.IndexFunc(all, func(s *subscription) bool { return s.id == id })
	if i < 0 {
		return invalid("no subscription %q", id)
	}
	sub := all[i]
	all = slices.Delete(slices.Clone(all), i, i+1)
	c.subscriptions.Store(&all)
	c.forgetUnacked(sub)
	if sub.to.kind == topic && !slices.ContainsFunc(all, func(s *subscription) bool { return s.room == sub.room }) {
		c.server.space.Leave(c.slot, sub.room)
	}
	return nil
}

// authorize asks the application.
func (c *Conn) authorize(ctx context.Context, a Action, destination string) error {
	if c.server.o.Authorize == nil {
		return nil
	}
	if err := c.server.o.Authorize(ctx, c, a, destination); err != nil {
		return forbidden(err)
	}
	return nil
}

// join puts the client into a room. One that has gone meanwhile is in none.
func (c *Conn) join(ctx context.Context, room belfry.Room) error {
	_, _, err := c.server.space.Join(ctx, c.memberSlot(), room)
	if errors.Is(err, hub.ErrNoMember) {
		return nil
	}
	return err
}
