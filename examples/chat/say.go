package chat

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio"
)

// Message is something that was said.
type Message struct {
	ID   string `json:"id"`
	Room string `json:"room"`
	From Person `json:"from"`
	Text string `json:"text"`
	Time int64  `json:"time"`
	// Stored says that it is in the archive; in the past only.
	Stored bool `json:"stored,omitempty"`
}

// An ID is the time of its message, ms since 1970, a hyphen, and at random what nobody
// can guess. Whoever did not get an ack sends the message again with its id, to any
// node. The time has to be in the id, since it names the row: with a time of its own
// each try could be a row of its own.
const (
	minSecret, maxSecret = 8, 40 // characters after the hyphen
	// maxAge is how old an id may be: the bus remembers it for longer.
	maxAge = 50 * time.Second
	// maxAhead is for clients whose clock is not quite that of join's ack.
	maxAhead = 5 * time.Second
)

// newID makes the id of a message that came without.
func newID(now time.Time) string { return fmt.Sprintf("%d-%s", now.UnixMilli(), rand.Text()) }

// idTime reads the time of an id.
func idTime(id string, now time.Time) (int64, error) {
	const digits = 13
	if len(id) < digits+1+minSecret || len(id) > digits+1+maxSecret || id[digits] != '-' || !isPlain(id[digits+1:]) {
		return 0, fmt.Errorf("the id must be the time in ms, a hyphen, and %d to %d letters and digits", minSecret, maxSecret)
	}
	ms, err := strconv.ParseInt(id[:digits], 10, 64)
	if err != nil || ms < 0 {
		return 0, errors.New("the id must begin with the time in ms")
	}
	switch age := now.Sub(time.UnixMilli(ms)); {
	case age > maxAge:
		return 0, fmt.Errorf("the id is %v old: at most %v are allowed", age.Round(time.Second), maxAge)
	case age < -maxAhead:
		return 0, errors.New("the id is of the future: make it with the clock that join tells")
	}
	return ms, nil
}

// said is the payload of event:message: a text, or an object.
type said struct {
	Text string `json:"text"`
	ID   string `json:"id"`
}

// UnmarshalJSON reads either form.
func (m *said) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		return json.Unmarshal(b, &m.Text)
	}
	type object said
	if err := json.Unmarshal(b, (*object)(m)); err != nil {
		return errors.New(`a message is a text, or {"text","id"}`)
	}
	return nil
}

// receipt answers event:message.
type receipt struct {
	ID   string `json:"id"`
	Time int64  `json:"time"`
}

func (c *Chat) say(ctx context.Context, s *socketio.Socket, in said) (receipt, error) {
	m, err := compose(s, in, time.Now())
	if err != nil {
		return receipt{}, err
	}
	offset, err := c.tell(ctx, m)
	if err == nil {
		err = c.enqueue(ctx, m, offset)
	}
	if err != nil {
		c.opts.Logger.Warn("chat: a message is not accepted yet", "id", m.ID, "err", err)
		return receipt{}, unavailable{}
	}
	return receipt{ID: m.ID, Time: m.Time}, nil
}

// compose makes a message of what a client has sent.
func compose(s *socketio.Socket, in said, now time.Time) (*Message, error) {
	me, room, err := whois(s)
	if err != nil {
		me, room = Person{ID: s.ID(), Name: "guest"}, lobby
	}
	text, err := clean("the message", in.Text, maxText)
	if err != nil {
		return nil, err
	}
	if in.ID == "" {
		in.ID = newID(now)
	}
	at, err := idTime(in.ID, now)
	return &Message{ID: in.ID, Room: room, From: me, Text: text, Time: at}, err
}

// tell publishes a message, once for each id, and returns where it is in the log.
func (c *Chat) tell(ctx context.Context, m *Message) (belfry.Offset, error) {
	offset, err := c.publish(ctx, roomOf(m.Room), m.ID, "message", m)
	if err == nil && m.Room == lobby {
		_, err = c.publish(ctx, listeners, m.ID+":listen", "event:listen", m.Text, m)
	}
	return offset, err
}

func (c *Chat) publish(ctx context.Context, room belfry.Room, id, event string, args ...any) (belfry.Offset, error) {
	data, err := json.Marshal(append([]any{event}, args...))
	if err != nil {
		return "", err
	}
	m := &belfry.Message{Kind: belfry.Emit, ID: id, Target: belfry.Target{Rooms: []belfry.Room{room}}, Data: data}
	if err := c.space.Publish(ctx, m); err != nil && !errors.Is(err, belfry.ErrDuplicate) {
		return "", err
	}
	return m.Offset, nil
}

// enqueue gives a message to the archive. Those of a room stay in order.
func (c *Chat) enqueue(ctx context.Context, m *Message, offset belfry.Offset) error {
	if c.opts.Queue == nil {
		return nil
	}
	args, err := json.Marshal([]*Message{m})
	if err != nil {
		return err
	}
	room := roomOf(m.Room)
	err = c.opts.Queue.Append(ctx, &belfry.Event{
		ID: m.ID, Namespace: "/", Name: "message", Args: args, Socket: m.From.ID, User: m.From.Name,
		Key: string(room), Node: c.server.Hub().ID(), Time: time.UnixMilli(m.Time), Room: room, Offset: offset,
	})
	if errors.Is(err, belfry.ErrDuplicate) {
		return nil
	}
	return err
}

// unavailable is for clients: they send the message again.
type unavailable struct{}

func (unavailable) Error() string {
	return "the message could not be accepted: send it again with its id"
}
func (unavailable) ErrorCode() string { return "unavailable" }
