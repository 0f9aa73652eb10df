package plain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
)

// none is the answer of a request that has nothing to tell.
type none struct{}

// handle does what a client asks for.
func (c *Conn) handle(ctx context.Context, raw []byte) {
	c.limiter.Wait(ctx, c.server.o.MaxRequestsPerSecond)
	r, err := decodeRequest(raw)
	if err != nil {
		c.answerError(r.ID, asError(err, codeRequest))
		return
	}
	if c.is(waiting) || r.Connect != nil {
		if !c.connect(ctx, r) || r.Connect != nil {
			return
		}
	}
	answer, err := c.perform(ctx, r)
	switch {
	case err != nil:
		c.answerError(r.ID, asError(err, codeFailed))
	case answer != nil:
		c.answer(r.ID, answer)
	}
}

// perform returns what the request is answered with, nil if that has been done, or
// will be.
func (c *Conn) perform(ctx context.Context, r *request) (answer any, err error) {
	switch {
	case r.Join != nil:
		return nil, c.join(ctx, r)
	case r.Leave != nil:
		return none{}, c.leaveRoom(ctx, r.Leave.Room)
	case r.Publish != nil:
		return c.publish(ctx, r.Publish)
	case r.Event != nil:
		return c.callApp(ctx, r)
	case r.Presence != nil:
		return c.presence(ctx, r.Presence.Room)
	case r.History != nil:
		return c.history(ctx, r.History)
	case r.Refresh != nil:
		return c.refresh(ctx, r.Refresh.Token)
	case r.Ack != nil:
		return c.acknowledge(r.Ack)
	}
	return c.pong(), nil
}

// pong tells what the client has got.
func (c *Conn) pong() any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return entered{Offset: c.at}
}

// join answers a join.
func (c *Conn) join(ctx context.Context, r *request) error {
	rooms, err := r.Join.all()
	if err != nil {
		return err
	}
	if err := c.mayJoin(ctx, rooms, r.Join.Offset); err != nil {
		return err
	}
	return c.enter(ctx, &arrival{
		rooms: rooms, after: r.Join.Offset, meta: r.Join.Meta,
		tell: func(how entered) { c.answer(r.ID, how) },
	})
}

// mayJoin asks the application about rooms that are to be joined, or resumed.
func (c *Conn) mayJoin(ctx context.Context, rooms []belfry.Room, after *belfry.Offset) error {
	err := c.authorize(ctx, Join, rooms)
	if err == nil && after != nil {
		err = c.authorize(ctx, Resume, rooms)
	}
	return err
}

// authorize asks the application.
func (c *Conn) authorize(ctx context.Context, a Action, rooms []belfry.Room) error {
	if c.server.o.Authorize == nil {
		return nil
	}
	for _, room := range rooms {
		if err := c.server.o.Authorize(ctx, c, a, room); err != nil {
			e := *asError(err, codeForbidden)
			e.Room = room
			return &e
		}
	}
	return nil
}

// published answers a publish. Position is the offset of the message, or of the first
// with that id. It says nothing of what the client has got.
type published struct {
	Position  belfry.Offset `json:"position,omitempty"`
	Duplicate bool          `json:"duplicate,omitempty"`
}

func (c *Conn) publish(ctx context.Context, r *publishRequest) (any, error) {
	if err := checkRoom(r.Room); err != nil {
		return nil, err
	}
	if len(r.ID) > belfry.MaxID {
		return nil, invalid("publish.id has %d bytes: at most %d are allowed", len(r.ID), belfry.MaxID)
	}
	if strings.HasPrefix(r.Event, "presence:") || r.Event == belfry.EventState {
		return nil, &Error{Code: codeForbidden, Message: "event " + r.Event + " is told by the cluster alone"}
	}
	if err := c.authorize(ctx, Publish, []belfry.Room{r.Room}); err != nil {
		return nil, err
	}
	m := &belfry.Message{Kind: belfry.Emit, Target: belfry.Target{Rooms: []belfry.Room{r.Room}}, ID: c.scoped(r)}
	var err error
	if m.Data, m.Attachments, err = eventData(r.Event, r.Args); err != nil {
		return nil, err
	}
	if r.Others {
		m.Target.Except = []belfry.Room{belfry.Room(c.id)}
	}
	err = c.Publish(ctx, m)
	if errors.Is(err, belfry.ErrDuplicate) {
		return published{Position: m.Offset, Duplicate: true}, nil
	}
	return published{Position: m.Offset}, err
}

// Publish sends m as if the client had, without asking Options.Authorize. It returns
// once the cluster has accepted it.
func (c *Conn) Publish(ctx context.Context, m *belfry.Message) error {
	return c.server.space.PublishFrom(ctx, m, hub.Sender{Socket: c.id, User: c.User()})
}

// scoped is the id that a message has in the cluster. A client must not be able to
// use up the ids of others, whose messages would be taken for repetitions.
func (c *Conn) scoped(r *publishRequest) string {
	if r.ID == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(c.User() + "\x00" + string(r.Room) + "\x00" + r.ID))
	return "plain:" + hex.EncodeToString(sum[:16])
}

type refreshed struct {
	Expires int64 `json:"expires"` // seconds since 1970, 0: never
}

func (c *Conn) refresh(ctx context.Context, token string) (any, error) {
	if c.server.o.Refresh == nil {
		return nil, invalid("there are no tokens here")
	}
	expires, err := c.server.o.Refresh(ctx, c, token)
	if err != nil {
		return nil, asError(err, codeUnauthorized)
	}
	if expires.IsZero() {
		return refreshed{}, nil
	}
	return refreshed{expires.Unix()}, nil
}

func (c *Conn) acknowledge(r *ackRequest) (any, error) {
	args, err := elementsOf(r.Args)
	if err != nil {
		return nil, err
	}
	// With a name before them the arguments are checked as those of an event are.
	data, attachments, err := eventData("ack", append(append([]byte{'['}, args...), ']'))
	if err != nil {
		return nil, err
	}
	done := c.takeAck(r.ID)
	if done == nil {
		return nil, &Error{Code: codeNoAck, Message: "no message waits for this ack, or no longer"}
	}
	done(hub.Answer{Args: argsOf(data), Attachments: attachments})
	return none{}, nil
}
