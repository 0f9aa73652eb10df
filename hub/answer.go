package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/seed-09a96375/belfry"
)

// answer replies to a question of some node, from a goroutine of its own.
func (h *Hub) answer(sp *Space, m *belfry.Message) {
	if m.Kind == belfry.ServerSideEmit && m.Origin == h.opts.Node {
		return // meant for the others
	}
	h.spawn(func() {
		ctx, cancel := h.answerContext(m)
		defer cancel()
		reply := &belfry.Reply{}
		var err error
		switch m.Kind {
		case belfry.Fetch:
			reply.Body, err = json.Marshal(sp.describe(m.Target))
		case belfry.AllRooms:
			reply.Body, err = json.Marshal(sp.roomNames())
		case belfry.Release:
			reply.Body, err = json.Marshal(sp.letGo(ctx, belfry.SessionID(m.Data)))
		case belfry.ServerSideEmit:
			err = sp.emitServerSide(ctx, m, reply)
		default:
			err = fmt.Errorf("unknown kind %d of message", m.Kind)
		}
		h.reply(ctx, m, reply, err)
	})
}

func (h *Hub) answerContext(m *belfry.Message) (context.Context, context.CancelFunc) {
	if m.Timeout > 0 {
		return context.WithTimeout(h.ctx, m.Timeout)
	}
	return context.WithTimeout(h.ctx, h.opts.RequestTimeout)
}

func (h *Hub) reply(ctx context.Context, m *belfry.Message, reply *belfry.Reply, err error) {
	if m.Request == 0 {
		return
	}
	select {
	case <-h.attached:
	case <-ctx.Done():
		return
	}
	reply.Request, reply.From = m.Request, h.opts.Node
	if err != nil {
		reply.Err, reply.Body, reply.Attachments = err.Error(), nil, nil
	}
	if err := h.link.Reply(ctx, m.Origin, reply); err != nil && !errors.Is(err, belfry.ErrClosed) {
		h.opts.Logger.Warn("reply not sent", "to", m.Origin, "err", err)
	}
}

func (sp *Space) describe(t belfry.Target) []json.RawMessage {
	all := []json.RawMessage{}
	if sp == nil {
		return all
	}
	for _, mem := range sp.Select(nil, t) {
		all = append(all, mem.Describe())
	}
	return all
}

func (sp *Space) roomNames() []belfry.Room {
	if sp == nil {
		return []belfry.Room{}
	}
	return sp.Names()
}

func (sp *Space) letGo(ctx context.Context, id belfry.SessionID) Letting {
	if sp == nil {
		return Absent
	}
	f := sp.onRelease.Load()
	if f == nil {
		return Absent
	}
	return (*f)(ctx, id)
}

func (sp *Space) emitServerSide(ctx context.Context, m *belfry.Message, reply *belfry.Reply) error {
	if sp == nil {
		return fmt.Errorf("namespace %q does not exist here", m.Namespace)
	}
	f := sp.serverSide.Load()
	if f == nil {
		return errors.New("no handler for server-side events here")
	}
	a, err := (*f)(ctx, m)
	if err != nil {
		return err
	}
	reply.Body = []byte("[]")
	if a != nil {
		reply.Body, reply.Attachments = a.Args, a.Attachments
	}
	return nil
}

// ackBody is the body of the reply to an Emit that wants acks: what each client
// answered, in the order of their answers. Attachments of all stand one after
// the other in the Reply; N says how many are whose.
type ackBody struct {
	Clients int         `json:"clients"` // members that were asked
	Acks    []ackAnswer `json:"acks"`
}

type ackAnswer struct {
	Args json.RawMessage `json:"args"`
	N    int             `json:"n,omitempty"`
}

// emitAck delivers in the bus's order, then waits for the clients' answers.
func (h *Hub) emitAck(sp *Space, m *belfry.Message) {
	var members []Member
	if sp != nil {
		members = sp.Select(nil, m.Target)
	}
	c := &ackCollector{missing: len(members), all: make(chan struct{})}
	c.body.Clients, c.body.Acks = len(members), []ackAnswer{}
	h.tally.deliveredTo(len(members))
	d := &Delivery{Message: m}
	forget := make([]func(), len(members))
	for i, mem := range members {
		forget[i] = mem.DeliverAck(d, c.add)
	}
	h.spawn(func() {
		ctx, cancel := h.answerContext(m)
		defer cancel()
		if len(members) > 0 {
			select {
			case <-c.all:
			case <-ctx.Done():
			}
		}
		for _, f := range forget {
			f()
		}
		body, attachments := c.result()
		b, err := json.Marshal(body)
		// The time for the answers is up, not the time to send them on.
		send, cancelSend := context.WithTimeout(h.ctx, h.opts.RequestTimeout)
		defer cancelSend()
		h.reply(send, m, &belfry.Reply{Body: b, Attachments: attachments}, err)
	})
}

type ackCollector struct {
	mu          sync.Mutex
	missing     int
	body        ackBody
	attachments [][]byte
	all         chan struct{} // closed when the last has answered
}

func (c *ackCollector) add(a Answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.body.Acks = append(c.body.Acks, ackAnswer{Args: a.Args, N: len(a.Attachments)})
	c.attachments = append(c.attachments, a.Attachments...)
	if c.missing--; c.missing == 0 {
		close(c.all)
	}
}

func (c *ackCollector) result() (ackBody, [][]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body := c.body
	body.Acks = append([]ackAnswer{}, body.Acks...)
	return body, append([][]byte(nil), c.attachments...)
}

// Acks splits the reply to an Emit with acks: how many clients were asked, and
// what those that answered in time said.
func Acks(r *belfry.Reply) (clients int, answers []Answer, err error) {
	var body ackBody
	if err := json.Unmarshal(r.Body, &body); err != nil {
		return 0, nil, fmt.Errorf("decode acks of node %s: %w", r.From, err)
	}
	rest := r.Attachments
	for _, a := range body.Acks {
		if a.N < 0 || a.N > len(rest) {
			return 0, nil, fmt.Errorf("decode acks of node %s: %d attachments announced, %d left", r.From, a.N, len(rest))
		}
		answers = append(answers, Answer{Args: a.Args, Attachments: rest[:a.N:a.N]})
		rest = rest[a.N:]
	}
	return body.Clients, answers, nil
}
