package socketio

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
)

// Broadcast selects sockets of a namespace, on all nodes, and does something
// with all of them. It is a value: each method that narrows it returns another
// one and leaves the first as it was.
type Broadcast struct {
	nsp        *Namespace
	target     belfry.Target
	volatile   bool
	local      bool
	noCompress bool
	from       *Socket // nil: not named
}

// To adds rooms: a socket is selected if it is in one of them. Without rooms the
// whole namespace is. The id of a socket is a room with that socket.
func (b Broadcast) To(rooms ...belfry.Room) Broadcast {
	b.target.Rooms = append(slices.Clip(b.target.Rooms), rooms...)
	return b
}

// In is To.
func (b Broadcast) In(rooms ...belfry.Room) Broadcast { return b.To(rooms...) }

// Except leaves out the sockets that are in one of the rooms.
func (b Broadcast) Except(rooms ...belfry.Room) Broadcast {
	b.target.Except = append(slices.Clip(b.target.Except), rooms...)
	return b
}

// Local selects sockets of this node only.
func (b Broadcast) Local() Broadcast {
	b.local = true
	return b
}

// Volatile lets the event be dropped for clients that cannot take it now. It is
// not replayed on recovery.
func (b Broadcast) Volatile() Broadcast {
	b.volatile = true
	return b
}

// Compress says whether the event may be compressed; by default it may.
func (b Broadcast) Compress(yes bool) Broadcast {
	b.noCompress = !yes
	return b
}

// From names the client that the event comes from, for what the product keeps of it.
// Clients are not told, and it is not left out: see Except.
func (b Broadcast) From(s *Socket) Broadcast {
	b.from = s
	return b
}

// Emit sends an event to the selected sockets. Arguments are encoded as
// encoding/json does, without HTML escaping; []byte anywhere in them becomes a
// binary attachment. Args as the only argument relay what came.
//
// When Emit returns nil the cluster has accepted the event and it is written or
// queued for the sockets of this node: what the caller sends next comes after
// it. It blocks no longer than ctx.
func (b Broadcast) Emit(ctx context.Context, event string, args ...any) error {
	m, err := newMessage(belfry.Emit, event, args)
	if err != nil {
		return err
	}
	return b.publish(ctx, m)
}

// EmitAck sends an event and returns what the clients answered, in the order of
// their answers. If some do not answer before ctx ends, or within
// Options.AckTimeout if ctx has no deadline, it returns the answers it has and an
// error that is ErrTimeout; if whole nodes do not answer, also a
// *hub.Incomplete.
func (b Broadcast) EmitAck(ctx context.Context, event string, args ...any) ([]Args, error) {
	if b.nsp.space == nil {
		return nil, errParent
	}
	m, err := newMessage(belfry.Emit, event, args)
	if err != nil {
		return nil, err
	}
	b.fill(m)
	replies, err := b.nsp.space.Request(ctx, m, b.scope())
	var answers []Args
	asked := 0
	for _, r := range replies {
		clients, acks, e := hub.Acks(r)
		if e != nil {
			return answers, e
		}
		asked += clients
		for _, a := range acks {
			answers = append(answers, newArgs(a.Args, a.Attachments))
		}
	}
	if len(answers) < asked {
		err = errors.Join(ErrTimeout, err)
	}
	return answers, err
}

// SocketsJoin makes the selected sockets join rooms.
func (b Broadcast) SocketsJoin(ctx context.Context, rooms ...belfry.Room) error {
	return b.publish(ctx, &belfry.Message{Kind: belfry.Join, Rooms: rooms})
}

// SocketsLeave makes the selected sockets leave rooms.
func (b Broadcast) SocketsLeave(ctx context.Context, rooms ...belfry.Room) error {
	return b.publish(ctx, &belfry.Message{Kind: belfry.Leave, Rooms: rooms})
}

// DisconnectSockets disconnects the selected sockets from the namespace, or ends
// their connections as well.
func (b Broadcast) DisconnectSockets(ctx context.Context, closeTransport bool) error {
	return b.publish(ctx, &belfry.Message{Kind: belfry.Disconnect, CloseTransport: closeTransport})
}

// FetchSockets describes the selected sockets. If some nodes do not answer in
// time it returns the sockets of the others and a *hub.Incomplete that names
// them.
func (b Broadcast) FetchSockets(ctx context.Context) ([]RemoteSocket, error) {
	if b.nsp.space == nil {
		return nil, errParent
	}
	m := &belfry.Message{Kind: belfry.Fetch}
	b.fill(m)
	replies, err := b.nsp.space.Request(ctx, m, b.scope())
	var all []RemoteSocket
	for _, r := range replies {
		var some []RemoteSocket
		if e := unmarshalReply(r, &some); e != nil {
			return all, e
		}
		for i := range some {
			some[i].Broadcast = Broadcast{nsp: b.nsp}.To(belfry.Room(some[i].ID))
			some[i].Node = r.From
		}
		all = append(all, some...)
	}
	return all, err
}

// RemoteSocket is a socket of any node. Its Broadcast methods address it: Emit,
// EmitAck, SocketsJoin, SocketsLeave, DisconnectSockets.
type RemoteSocket struct {
	Broadcast `json:"-"`

	ID        belfry.SocketID `json:"id"`
	Node      belfry.NodeID   `json:"-"`
	Handshake Handshake       `json:"handshake"`
	Rooms     []belfry.Room   `json:"rooms"` // its own first
	Data      Auth            `json:"data"`  // JSON
}

func (b Broadcast) scope() hub.Scope {
	if b.local {
		return hub.Self
	}
	return hub.All
}

func (b Broadcast) fill(m *belfry.Message) {
	m.Target, m.Volatile, m.NoCompress = b.target, b.volatile, b.noCompress
}

func (b Broadcast) publish(ctx context.Context, m *belfry.Message) error {
	if p := b.nsp.children; p != nil {
		return b.publishToChildren(ctx, p, m)
	}
	b.fill(m)
	if m.Kind == belfry.Join && !b.local && b.nsp.server.opts.Presence != nil {
		// To enter a room is to ask the bus: not in its own turn.
		_, err := b.nsp.space.Request(ctx, m, hub.All)
		return err
	}
	if b.local {
		b.nsp.space.Local(m)
		return nil
	}
	if err := b.nsp.space.PublishFrom(ctx, m, b.sender()); err != nil {
		return fmt.Errorf("publish to %s: %w", b.nsp.name, err)
	}
	return nil
}

func (b Broadcast) sender() hub.Sender {
	if b.from == nil {
		return hub.Sender{}
	}
	return hub.Sender{Socket: b.from.ID(), User: b.from.User()}
}

func (b Broadcast) publishToChildren(ctx context.Context, p *parent, m *belfry.Message) error {
	var errs []error
	for _, n := range p.each() {
		child := b
		child.nsp = n
		own := *m
		errs = append(errs, child.publish(ctx, &own))
	}
	return errors.Join(errs...)
}
