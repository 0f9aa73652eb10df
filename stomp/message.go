package stomp

import (
	"context"
	"errors"
	"unicode/utf8"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/socketio/packet"
	"github.com/seed-09a96375/belfry/stomp/frame"
)

// Message is what a client has sent. It is the application's to keep.
type Message struct {
	// Destination is as the client wrote it, Name what follows /app/.
	Destination, Name string
	// Event is the header event, "message" if there is none.
	Event       string
	ContentType string
	Body        []byte

	headers []frame.Header
}

// defaultEvent is the event of a SEND without a header event.
const defaultEvent = "message"

// Header returns any header of the SEND frame, empty if it has none.
func (m *Message) Header(name string) string {
	f := frame.Frame{Headers: m.headers}
	return f.Value(name)
}

func newMessage(f *frame.Frame, name string) *Message {
	m := &Message{
		Destination: f.Value("destination"), Name: name, Event: f.Value("event"),
		ContentType: f.Value("content-type"), Body: f.Body,
		headers: append([]frame.Header(nil), f.Headers...),
	}
	if m.Event == "" {
		m.Event = defaultEvent
	}
	return m
}

// perform does what SEND, ACK or NACK says.
func (c *Conn) perform(ctx context.Context, f *frame.Frame) error {
	if f.Command != frame.Send {
		return c.settle(f)
	}
	if _, ok := f.Get("destination"); !ok {
		return invalid("SEND without a destination")
	}
	to, err := parseDestination(f.Value("destination"))
	if err != nil {
		return err
	}
	m := newMessage(f, to.name)
	if to.kind == app {
		return c.callApp(ctx, m)
	}
	if to.user != "" && c.server.o.Authorize == nil {
		return forbidden(errors.New("sending to other users is not allowed here"))
	}
	if err := c.authorize(ctx, Send, m.Destination); err != nil {
		return err
	}
	return c.publish(ctx, to, m)
}

func (c *Conn) callApp(ctx context.Context, m *Message) error {
	if c.server.o.App == nil {
		return invalid("there is no destination %q", m.Destination)
	}
	return c.server.o.App(ctx, c, m)
}

// Publish sends m to a destination as if the client had sent it there, without
// asking Options.Authorize: a topic or a queue of a user. It returns once the
// cluster has accepted it.
func (c *Conn) Publish(ctx context.Context, destination string, m *Message) error {
	to, err := parseDestination(destination)
	if err != nil {
		return err
	}
	if to.kind == app {
		return invalid("destination %q cannot be published to", destination)
	}
	return c.publish(ctx, to, m)
}

func (c *Conn) publish(ctx context.Context, to destination, m *Message) error {
	event := m.Event
	var room belfry.Room
	switch {
	case to.kind == topic:
		room = belfry.Room(to.name)
	case to.user != "":
		room, event = hub.UserRoom(to.user), to.name
	case c.user != "":
		room, event = hub.UserRoom(c.user), to.name
	default:
		room, event = belfry.Room(c.id), to.name
	}
	if !utf8.ValidString(event) {
		return invalid("the event is not UTF-8")
	}
	if packet.Reserved(event) {
		return invalid("event %q is reserved", event)
	}
	out := &belfry.Message{Kind: belfry.Emit, Target: belfry.Target{Rooms: []belfry.Room{room}}}
	var err error
	out.Data, out.Attachments, err = arguments(event, m)
	if err != nil {
		return err
	}
	return c.server.space.PublishFrom(ctx, out, hub.Sender{Socket: c.id, User: c.user})
}
