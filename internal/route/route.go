// Package route is where events of clients go, and where those of other systems
// come in, as configured:
//
//	event of a client ─ first Route that fits ─ may it? ─┬ publish to rooms, users
//	                                                     └ append to a queue, a webhook
//	record of a Source ─ templates ─ publish to rooms, users, or all
//	message to a room ─ first Rule that fits ─ append to a topic, a queue, the archive
//
// It knows no front: each gives it an Incoming. Names of rooms, keys, ids and
// arguments are templates, compiled when the node starts; docs/routes.md has their
// grammar.
package route

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/hub"
)

// Links are what a Router works with. Publish is required.
type Links struct {
	// Publish sends a message to the members of m.Namespace, on all nodes. Rules are
	// not its business.
	Publish func(ctx context.Context, m *belfry.Message) error
	// PublishAll does the same for many, in their order, and returns how many of the
	// first are accepted, now or before. nil: Publish is called for each.
	PublishAll func(ctx context.Context, messages []*belfry.Message) (accepted int, err error)
	// Queues and Webhooks are by the names of Options. Those of webhooks are the
	// queues that the webhooks consume.
	Queues, Webhooks map[string]belfry.Queue
	// Topics are those of Kafka that routes and rules name.
	Topics map[string]belfry.Queue
	// Archive takes what routes and rules keep. nil: none of them does.
	Archive belfry.Queue
	// Node is the name of this node.
	Node belfry.NodeID
}

// Router routes. Safe for concurrent use.
type Router struct {
	*program
	links    Links
	log      *slog.Logger
	unrouted atomic.Uint64 // events that no route takes
}

// New returns a router. An error names all options that cannot work.
func New(o Options, l Links) (*Router, error) {
	o = o.withDefaults()
	p, err := compile(o)
	if err != nil {
		return nil, err
	}
	if l.Publish == nil {
		return nil, errors.New("route: Links.Publish is nil")
	}
	for _, r := range o.Routes {
		if err := l.has(r.Queue, r.Webhook, r.Topic, r.Archive); err != nil {
			return nil, err
		}
	}
	for _, m := range o.Messages {
		if err := l.has(m.Queue, "", m.Topic, m.Archive); err != nil {
			return nil, err
		}
	}
	r := &Router{program: p, links: l, log: o.Logger}
	r.link()
	return r, nil
}

// has names what is missing of what a route or a rule names.
func (l *Links) has(queue, webhook, topic string, archive bool) error {
	switch {
	case queue != "" && l.Queues[queue] == nil:
		return errors.New("route: Links.Queues lacks " + queue)
	case webhook != "" && l.Webhooks[webhook] == nil:
		return errors.New("route: Links.Webhooks lacks " + webhook)
	case topic != "" && l.Topics[topic] == nil:
		return errors.New("route: Links.Topics lacks " + topic)
	case archive && l.Archive == nil:
		return errors.New("route: Links.Archive is nil")
	}
	return nil
}

// Takes reports whether there is a route for an event.
func (r *Router) Takes(namespace, event string) bool { return r.table.match(namespace, event) != nil }

// Route deals with an event of a client. When it returns nil the event is where it
// belongs, durably: its ack may go. A repetition of an event with the same ID does
// again only what was not done. Any error is an *Error. It blocks no longer than
// ctx.
//
// Events of one client keep their order if its front calls Route for one after the
// other.
func (r *Router) Route(ctx context.Context, in *Incoming) (Result, error) {
	c := r.table.match(in.Namespace, in.Event)
	if c == nil {
		r.unrouted.Add(1)
		return Result{}, &Error{Code: NoRoute, Message: "no route takes events of this name"}
	}
	res, err := r.run(ctx, c, in)
	if err == nil {
		c.counters.routed(nil)
		return res, nil
	}
	var own *Error
	if !errors.As(err, &own) {
		own = &Error{Invalid, err.Error(), err}
	}
	c.counters.routed(own)
	if own.Code == Unavailable || own.Code == InDoubt {
		r.log.WarnContext(ctx, "event not routed", "event", in.Event, "namespace", in.Namespace, "code", own.Code, "err", own.Err)
	}
	return Result{}, own
}

func (r *Router) run(ctx context.Context, c *compiled, in *Incoming) (Result, error) {
	if err := in.check(); err != nil {
		return Result{}, err
	}
	rooms, err := c.allowed(in)
	if err != nil {
		return Result{}, err
	}
	e, err := c.event(in)
	if err != nil {
		return Result{}, err
	}
	e.Node = r.links.Node
	// All that can be refused has been: what follows is done, or is tried again. Queues
	// come last, since they are told where the message is in the log.
	if len(rooms) > 0 {
		if err := r.publish(ctx, c, in, e, rooms); err != nil {
			return Result{}, err
		}
	}
	return r.enqueue(ctx, c, in, e)
}

// allowed returns the rooms that the event goes to, if the client may send it.
func (c *compiled) allowed(in *Incoming) ([]belfry.Room, error) {
	if c.user && in.User == "" {
		return nil, &Error{Code: Forbidden, Message: "only a user may send this event: show a token"}
	}
	return c.emit.targets(in, func(room belfry.Room) error {
		if !c.publish {
			return nil
		}
		err := errors.New("not granted")
		if in.May != nil {
			err = in.May(auth.Publish, room)
		}
		if err != nil {
			return &Error{Forbidden, "you may not send to room " + string(room), err}
		}
		return nil
	})
}

// event makes what queues get. Its Args still have placeholders.
func (c *compiled) event(in *Incoming) (*belfry.Event, error) {
	e := &belfry.Event{
		Namespace: in.Namespace, Socket: in.Socket, User: in.User, Time: time.Now(),
		Reply: c.route.Reply && in.Ack,
	}
	var err error
	if e.Name, err = c.emit.name(in, in.Event); err != nil {
		return nil, err
	}
	if e.Args, err = c.emit.arguments(in, in.Args); err != nil {
		return nil, err
	}
	if c.key != nil {
		if e.Key, err = keyOf(c.key, in); err != nil {
			return nil, err
		}
	}
	id := in.ID
	if c.id != nil {
		if id, err = c.id.string(in); err != nil {
			return nil, err
		}
	}
	if id == "" {
		e.ID = randomID()
	} else {
		e.ID = eventID(in, id)
	}
	return e, nil
}

func (r *Router) publish(ctx context.Context, c *compiled, in *Incoming, e *belfry.Event, rooms []belfry.Room) error {
	args, attachments := usedAttachments(&c.emit, e.Args, in.Attachments)
	m := &belfry.Message{
		Kind: belfry.Emit, Namespace: in.Namespace, Target: belfry.Target{Rooms: rooms},
		Data: data(e.Name, args), Attachments: attachments, ID: publishID(e.ID, c.order),
	}
	if c.route.ExceptSender && in.Socket != "" {
		m.Target.Except = []belfry.Room{belfry.Room(in.Socket)}
	}
	from := origin{sender: hub.Sender{Socket: in.Socket, User: in.User}, own: true, topic: c.route.Topic, queue: c.route.Queue}
	if c.route.Archive {
		from.archived = rooms[0]
	}
	err := r.publishKept(ctx, m, from)
	if !hub.Reserved(rooms[0]) {
		e.Room, e.Offset = rooms[0], m.Offset
	}
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	return failure("cluster", err)
}
