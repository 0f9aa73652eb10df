package hub

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/poll/cork"
)

// Member is one client in one namespace. Methods must not block, nor call back
// into the Space they came from other than Join and Leave.
type Member interface {
	MemberID() belfry.SocketID
	// Deliver writes the message of d to the client.
	Deliver(d *Delivery)
	// DeliverAck does the same and wants the client's answer. done is called at
	// most once, from any goroutine, and not after forget was called.
	DeliverAck(d *Delivery, done func(Answer)) (forget func())
	// Join and Leave change the member's rooms.
	Join(rooms ...belfry.Room) error
	Leave(rooms ...belfry.Room)
	// Disconnect ends the member, or the whole connection it came by.
	Disconnect(closeTransport bool)
	// Describe returns what other nodes may know of it, as JSON.
	Describe() []byte
}

// Answer is what a client answered: a JSON array of arguments with
// placeholders for the attachments.
type Answer struct {
	Args        []byte
	Attachments [][]byte
}

// ServerSide handles an event that another node sent to this one's namespace.
// The answer is nil if the other side wants none.
type ServerSide func(ctx context.Context, m *belfry.Message) (*Answer, error)

// Space is one namespace on this node.
type Space struct {
	Rooms // who is in which room

	hub        *Hub
	name       string
	serverSide atomic.Pointer[ServerSide]
	lossMu     sync.Mutex
	onLoss     []func() // never changed in place
	onChange   atomic.Pointer[func(belfry.Room)]
	onRelease  atomic.Pointer[func(context.Context, belfry.SessionID) Letting]
	publisher  atomic.Pointer[Publisher]
}

func newSpace(h *Hub, name string, hooks Hooks) *Space {
	sp := &Space{hub: h, name: name}
	sp.Rooms.Init(RoomsOptions{Hooks: hooks, MaxPerMember: max(h.opts.MaxRoomsPerMember, 0)})
	return sp
}

// Name is "/" or "/name".
func (sp *Space) Name() string { return sp.name }

// OnServerSide sets the receiver of server-side events.
func (sp *Space) OnServerSide(f ServerSide) { sp.serverSide.Store(&f) }

// OnRelease sets who ends the member that has a session, when a client claims it
// on some node. It may block.
func (sp *Space) OnRelease(f func(ctx context.Context, id belfry.SessionID) Letting) {
	sp.onRelease.Store(&f)
}

// Sender is the client that publishes. The zero value: none does, but a backend or
// the node itself.
type Sender struct {
	Socket belfry.SocketID
	User   string // empty: not named
}

// Publisher does more with some messages than to publish them. Safe for concurrent
// use.
type Publisher interface {
	// Takes says whether Publish is to be called for an Emit. It must not block.
	Takes(m *belfry.Message) bool
	// Publish publishes m, by Send, and may do more before and after. What it returns
	// is what the publisher of m gets; the contract is that of Link.Publish.
	Publish(ctx context.Context, m *belfry.Message, from Sender) error
}

// OnPublish has p publish what it takes of all that this node publishes. Set it before
// there are clients.
func (sp *Space) OnPublish(p Publisher) { sp.publisher.Store(&p) }

// takes returns who publishes m, nil if nobody does besides the bus.
func (sp *Space) takes(m *belfry.Message) Publisher {
	p := sp.publisher.Load()
	if p == nil || m.Kind != belfry.Emit || !(*p).Takes(m) {
		return nil
	}
	return *p
}

// OnLoss sets who ends the members that the bus has lost messages for: when f has
// returned nothing more is delivered to them. It must not block. Each front of the
// namespace sets its own; they are called in the order of the calls.
func (sp *Space) OnLoss(f func()) {
	sp.lossMu.Lock()
	defer sp.lossMu.Unlock()
	sp.onLoss = append(slices.Clip(sp.onLoss), f)
}

// lost calls them.
func (sp *Space) lost() {
	sp.lossMu.Lock()
	all := sp.onLoss
	sp.lossMu.Unlock()
	for _, f := range all {
		f()
	}
}

// Publish sends m to the members it selects, on all nodes. See Link.Publish. If
// nodes have to tell the bus before a member can join, a Join waits for them.
func (sp *Space) Publish(ctx context.Context, m *belfry.Message) error {
	return sp.PublishFrom(ctx, m, Sender{})
}

// PublishFrom is Publish for a client.
func (sp *Space) PublishFrom(ctx context.Context, m *belfry.Message, from Sender) error {
	if p := sp.takes(m); p != nil {
		m.Namespace = sp.name
		return p.Publish(ctx, m, from)
	}
	return sp.Send(ctx, m)
}

// Send is Publish by the bus alone, whatever OnPublish has set.
func (sp *Space) Send(ctx context.Context, m *belfry.Message) error {
	m.Namespace = sp.name
	if m.Kind == belfry.Join && m.Request == 0 && sp.hub.interest != nil {
		_, err := sp.Request(ctx, m, All)
		return err
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, sp.hub.opts.PublishTimeout)
		defer cancel()
	}
	err := sp.hub.link.Publish(ctx, m)
	sp.hub.tally.count(err)
	return err
}

// Local does the same on this node alone, without the bus.
func (sp *Space) Local(m *belfry.Message) {
	m.Namespace = sp.name
	m.Origin = sp.hub.opts.Node
	node{sp.hub}.Deliver(m)
}

func (sp *Space) deliver(m *belfry.Message, k *cork.Cork) {
	d := &Delivery{Message: m, Cork: k}
	n := sp.Broadcast(m.Target, func(mem Member) { mem.Deliver(d) })
	sp.hub.tally.deliveredTo(n)
	sp.changed(m)
}

func (sp *Space) change(m *belfry.Message) {
	sp.Broadcast(m.Target, func(mem Member) {
		switch m.Kind {
		case belfry.Join:
			sp.join(mem, m.Rooms)
		case belfry.Leave:
			mem.Leave(m.Rooms...)
		case belfry.Disconnect:
			mem.Disconnect(m.CloseTransport)
		}
	})
}
