package plain

import (
	"context"
	"encoding/json"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// maxOwed bounds the answers that the application owes a client.
const maxOwed = 256

func (c *Conn) callApp(ctx context.Context, r *request) (any, error) {
	if c.server.o.App == nil {
		return nil, &Error{Code: codeNoApp, Message: "there is no event " + r.Event.Name + " here"}
	}
	if len(r.Event.ID) > belfry.MaxID {
		return nil, invalid("event.id has %d bytes: at most %d are allowed", len(r.Event.ID), belfry.MaxID)
	}
	data, attachments, err := eventData(r.Event.Name, r.Event.Args)
	if err != nil {
		return nil, err
	}
	e := &Event{Name: r.Event.Name, Args: argsOf(data), Attachments: attachments, ID: r.Event.ID}
	a, err := c.server.o.App(ctx, c, e)
	if err == nil && a != nil && a.Await != nil {
		return c.await(ctx, r.ID, a)
	}
	return replied(a), err
}

// await answers later, while the client's next requests are handled; if the
// application owes it too many answers, now.
func (c *Conn) await(ctx context.Context, id json.RawMessage, a *Answer) (any, error) {
	owed, done := c.owe(ctx)
	if owed == nil {
		b, err := a.Await(ctx)
		return replied(b), err
	}
	if !c.server.space.Go(func() {
		defer done()
		b, err := a.Await(owed)
		if err != nil {
			c.answerError(id, asError(err, codeFailed))
		} else {
			c.answer(id, replied(b))
		}
	}) {
		done()
		return nil, belfry.ErrClosed
	}
	return nil, nil
}

// owe returns a context that ends when the client goes away, or nil if too many
// answers are owed. done is called with the answer.
func (c *Conn) owe(ctx context.Context) (owed context.Context, done context.CancelFunc) {
	x := c.extra()
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.owed) >= maxOwed {
		return nil, nil
	}
	owed, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if ctx.Err() != nil {
		cancel() // it has gone already
	}
	if x.owed == nil {
		x.owed = make(map[uint64]context.CancelFunc)
	}
	x.last++
	key := x.last
	x.owed[key] = cancel
	return owed, func() {
		cancel()
		x.mu.Lock()
		defer x.mu.Unlock()
		delete(x.owed, key)
	}
}

// forgive ends the wait for what is owed. What the request under way still adds has
// ended already: its context has.
func (c *Conn) forgive() {
	c.mu.Lock()
	x := c.more
	c.mu.Unlock()
	if x == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, cancel := range x.owed {
		cancel()
	}
}

// answered is what the application said.
type answered struct {
	Args json.RawMessage `json:"args,omitempty"`
}

func replied(a *Answer) any {
	if a == nil {
		return none{}
	}
	return answered{packet.Inline(a.Args, a.Attachments)}
}
