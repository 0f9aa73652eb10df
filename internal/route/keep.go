package route

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// origin is where a message comes from.
type origin struct {
	sender hub.Sender
	// own says that the router has made the message's id: no event has the same.
	own bool
	// at is when it came, the same for all tries. Zero: now.
	at time.Time
	// topic and queue have the message already, or get it from who publishes it, and so
	// does the archive for the room archived.
	topic, queue string
	archived     belfry.Room
}

// has reports whether the message is brought to a target without rules.
func (o origin) has(t target, room belfry.Room) bool {
	switch t.kind {
	case toTopic:
		return o.topic == t.name
	case toQueue:
		return o.queue == t.name
	case toArchive:
		return o.archived == room
	}
	return false
}

// Keeper is what publishes where rules may keep messages, as hub.Space.OnPublish wants
// it. nil: there are no rules.
func (r *Router) Keeper() hub.Publisher {
	if len(r.rules) == 0 {
		return nil
	}
	return keeper{r}
}

type keeper struct{ *Router }

// Takes reports whether a rule is for m in one of its rooms.
func (k keeper) Takes(m *belfry.Message) bool {
	return lasting(m) && slices.ContainsFunc(m.Target.Rooms, func(room belfry.Room) bool { return k.ledger.match(room, m) != nil })
}

// lasting reports whether m is what rules are for: no question, and nothing ephemeral.
func lasting(m *belfry.Message) bool {
	return m.Kind == belfry.Emit && !m.Volatile && !m.Unlogged && m.Request == 0 && m.To == ""
}

// Publish publishes m, and brings it where rules say. When it returns nil the members
// have m, and all that rules name have it durably. After belfry.ErrDuplicate, too: what
// was not done before is done now. A message without what a key needs is not published:
// an *Error with the code Invalid. One with InDoubt says that it is published, and to be
// repeated with its ID.
func (k keeper) Publish(ctx context.Context, m *belfry.Message, from hub.Sender) error {
	return k.publishKept(ctx, m, origin{sender: from})
}

func (r *Router) publishKept(ctx context.Context, m *belfry.Message, from origin) error {
	copies, err := r.copies(m, from)
	if err != nil {
		return err
	}
	published := r.links.Publish(ctx, m)
	if len(copies) == 0 || published != nil && !errors.Is(published, belfry.ErrDuplicate) {
		return published
	}
	if err := r.bring(ctx, m, copies); err != nil {
		return err
	}
	return published
}

// copyOf is a message on its way to a target.
type copyOf struct {
	target
	event belfry.Event
}

// copies are what rules make of m: one for each target, with the rooms for which a rule
// names it. None, and no cost, if there is no rule for them.
func (r *Router) copies(m *belfry.Message, from origin) (all []copyOf, err error) {
	if len(r.rules) == 0 || !lasting(m) {
		return nil, nil
	}
	var s *scopeOf
	for _, room := range m.Target.Rooms {
		k := r.ledger.match(room, m)
		if k == nil {
			continue
		}
		if s == nil {
			if s, err = newScope(m, from); err != nil {
				return nil, err
			}
		}
		for _, t := range k.targets {
			if from.has(t, room) {
				continue
			}
			if all, err = s.add(all, t, k.key, room); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// add notes that a target gets the message of a room. The key is that of the first.
func (s *scopeOf) add(all []copyOf, t target, key *template, room belfry.Room) ([]copyOf, error) {
	for i := range all {
		if c := &all[i]; c.kind == t.kind && c.name == t.name {
			if len(c.event.Rooms) == 0 {
				c.event.Rooms = []belfry.Room{c.event.Room}
			}
			c.event.Rooms = append(c.event.Rooms, room)
			return all, nil
		}
	}
	s.event.Room = room
	c := copyOf{t, s.event}
	if t.kind != toArchive {
		var err error
		if c.event.Key, err = keyOf(key, s); err != nil {
			return nil, err
		}
	}
	return append(all, c), nil
}

// keyOf returns what a template makes of an event. An error is an *Error.
func keyOf(key *template, s scope) (string, error) {
	text, err := key.string(s)
	switch {
	case err != nil:
		return "", invalid("%v", err)
	case len(text) > maxName:
		return "", invalid("the key has %d bytes: at most %d are allowed", len(text), maxName)
	}
	return text, nil
}

// appendTime bounds the appends of a message, all together.
const appendTime = 10 * time.Second

// bring appends copies of a message that is published. The members have it, so that a
// publisher that goes away now changes nothing.
func (r *Router) bring(ctx context.Context, m *belfry.Message, copies []copyOf) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendTime)
	defer cancel()
	for i := range copies {
		c := &copies[i]
		c.event.Offset, c.event.Node = m.Offset, r.links.Node
		if err := c.target.queue.Append(ctx, &c.event); err != nil && !errors.Is(err, belfry.ErrDuplicate) {
			r.log.WarnContext(ctx, "message published, and not kept yet", "what", c.what, "name", c.name, "room", c.event.Room, "id", c.event.ID, "err", err)
			return &Error{InDoubt, "it is published, but the " + c.what + " has not confirmed it: repeat it with the same id", err}
		}
	}
	return nil
}

// scopeOf is what templates of rules see of a message.
type scopeOf struct{ event belfry.Event }

func newScope(m *belfry.Message, from origin) (*scopeOf, error) {
	name, err := packet.EventName(m.Data)
	if err != nil || name == nil {
		return nil, invalid("the message has no event")
	}
	at := from.at
	if at.IsZero() {
		at = time.Now()
	}
	return &scopeOf{belfry.Event{
		ID: recordID(m.ID, from.own), Namespace: m.Namespace, Name: string(name), Args: packet.Inline(argsOf(m.Data), m.Attachments),
		Socket: from.sender.Socket, User: from.sender.User, Time: at,
	}}, nil
}

// recordID is the id under which a message is kept. It differs from that of any event:
// a backend may publish what comes of an event with the event's id.
func recordID(id string, own bool) string {
	switch {
	case id == "":
		return randomID()
	case own:
		return id
	}
	return shorten(id) + ">"
}

// argsOf returns the array of an event without its name, which is the first element.
func argsOf(data []byte) json.RawMessage {
	i := space(data, 0) + 1
	i = space(data, skip(data, space(data, i)))
	if i >= len(data) || data[i] != ',' {
		return noArgs
	}
	return append(json.RawMessage{'['}, data[i+1:]...)
}

// lookup implements scope.
func (s *scopeOf) lookup(root string, path []step) (datum, bool) {
	text := ""
	switch root {
	case "args":
		found := find(s.event.Args, path)
		return datum{json: found}, found != nil
	case "room":
		text = string(s.event.Room)
	case "event":
		text = s.event.Name
	case "user":
		text = s.event.User
	case "socket":
		text = string(s.event.Socket)
	case "id":
		text = s.event.ID
	}
	return datum{text: text}, text != ""
}
