package socketio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
)

// Middleware admits a client to a namespace, before its socket is connected. An
// error refuses it: see ConnectError. It may block; ctx ends when the client
// goes away.
type Middleware func(ctx context.Context, s *Socket) error

// EventMiddleware sees an event before its handler. An error stops the event;
// the client's ack gets it.
type EventMiddleware func(ctx context.Context, s *Socket, event string, args Args) error

// Namespace is a channel of its own over the connections of clients: own
// sockets, rooms, handlers. Its Broadcast methods address all its sockets, on
// all nodes. Safe for concurrent use; handlers that are registered later hold
// for the events that follow.
type Namespace struct {
	Broadcast // To, Except, Emit, … address all sockets of the namespace

	name     string
	server   *Server
	handlers *handlers
	space    *hub.Space // nil for the parent of dynamic namespaces
	children *parent    // not nil for such a parent
	dynamic  bool       // child of such a parent
	lastAck  atomic.Uint64
	joining  atomic.Int64 // clients on their way in: keeps a dynamic namespace
	live     sessions     // with recovery: who has which session now

	departures departures
	changes    changes
}

func newNamespace(s *Server, name string, h *handlers, dynamic bool) *Namespace {
	n := &Namespace{name: name, server: s, handlers: h, dynamic: dynamic}
	n.Broadcast = Broadcast{nsp: n}
	n.space = s.hub.Space(name, s.opts.Hooks.forNamespace(name))
	n.space.OnServerSide(n.serverSide)
	n.space.OnRelease(n.release)
	n.space.OnChange(n.RoomChanged)
	n.space.OnLoss(n.lost)
	return n
}

// Name is "/" or "/name".
func (n *Namespace) Name() string { return n.name }

func (n *Namespace) registry() *handlers { return n.handlers }

// Use adds a middleware that clients pass at CONNECT, in order of registration.
func (n *Namespace) Use(m Middleware) {
	n.handlers.change(func(h *hooks) { h.middlewares = append(slices.Clip(h.middlewares), m) })
}

// UseEvent adds a middleware that every event passes, in order of registration.
func (n *Namespace) UseEvent(m EventMiddleware) {
	n.handlers.change(func(h *hooks) { h.eventChain = append(slices.Clip(h.eventChain), m) })
}

// OnConnect calls f for every socket that has connected or recovered, before any
// of its events.
func (n *Namespace) OnConnect(f func(ctx context.Context, s *Socket)) {
	n.handlers.change(func(h *hooks) { h.connect = append(slices.Clip(h.connect), f) })
}

// OnDisconnect calls f for every socket that has disconnected, after its last
// event. It has left its rooms: Rooms still tells which they were.
func (n *Namespace) OnDisconnect(f func(s *Socket, reason Reason)) { onDisconnect(n, f) }

// OnAny calls f for every event that arrives, before its handler.
func (n *Namespace) OnAny(f func(s *Socket, event string, args Args)) { onAny(n, f) }

// OnAnyOutgoing calls f for every event that is sent to a socket, broadcasts
// included. It must not block. Costs are per receiver, so use it to debug.
func (n *Namespace) OnAnyOutgoing(f func(s *Socket, event string, args Args)) {
	onAnyOutgoing(n, f)
}

// OnError calls f when a client violates the protocol, just before its
// connection is closed.
func (n *Namespace) OnError(f func(s *Socket, err error)) {
	n.handlers.change(func(h *hooks) { h.errors = append(slices.Clip(h.errors), f) })
}

func onDisconnect(r Registrar, f func(*Socket, Reason)) {
	r.registry().change(func(h *hooks) { h.disconnect = append(slices.Clip(h.disconnect), f) })
}

func onAny(r Registrar, f func(*Socket, string, Args)) {
	r.registry().change(func(h *hooks) { h.incoming = append(slices.Clip(h.incoming), f) })
}

func onAnyOutgoing(r Registrar, f func(*Socket, string, Args)) {
	r.registry().change(func(h *hooks) { h.outgoing = append(slices.Clip(h.outgoing), f) })
}

// Len is the number of sockets of the namespace on this node.
func (n *Namespace) Len() int {
	if n.space == nil {
		return 0
	}
	return n.space.Len()
}

// Socket returns the socket of that id if it is on this node.
func (n *Namespace) Socket(id belfry.SocketID) (*Socket, bool) {
	if n.space == nil {
		return nil, false
	}
	m, ok := n.space.Lookup(id)
	if !ok {
		return nil, false
	}
	s, ok := m.(*Socket)
	return s, ok
}

// Sockets returns the sockets of the namespace on this node, those in the given
// rooms if any are given.
func (n *Namespace) Sockets(rooms ...belfry.Room) []*Socket {
	if n.space == nil {
		return nil
	}
	var all []*Socket
	for _, m := range n.space.Select(nil, belfry.Target{Rooms: rooms}) {
		if s, ok := m.(*Socket); ok {
			all = append(all, s)
		}
	}
	return all
}

// AllRooms returns the rooms of the namespace on all nodes; sockets' own rooms
// are not among them. If some nodes do not answer in time it returns the rooms
// of the others and a *hub.Incomplete that names them.
func (n *Namespace) AllRooms(ctx context.Context) ([]belfry.Room, error) {
	if n.space == nil {
		return nil, errParent
	}
	replies, err := n.space.Request(ctx, &belfry.Message{Kind: belfry.AllRooms}, hub.All)
	var all []belfry.Room
	for _, r := range replies {
		var rooms []belfry.Room
		if e := unmarshalReply(r, &rooms); e != nil {
			return nil, e
		}
		all = append(all, rooms...)
	}
	slices.Sort(all)
	return visible(slices.Compact(all)), err
}

// OnServerSide handles an event that another node of the cluster sends with
// ServerSideEmit. What f returns is the answer, if that node wants one.
func OnServerSide[R any](n *Namespace, event string, f func(ctx context.Context, args Args) (R, error)) {
	n.handlers.change(func(h *hooks) {
		next := map[string]func(context.Context, Args) ([]any, error){}
		for k, v := range h.serverSide {
			next[k] = v
		}
		next[event] = func(ctx context.Context, a Args) ([]any, error) { return answer(f(ctx, a)) }
		h.serverSide = next
	})
}

// ServerSideEmit sends an event to the other nodes of the cluster, not to their
// clients.
func (n *Namespace) ServerSideEmit(ctx context.Context, event string, args ...any) error {
	if n.space == nil {
		return errParent
	}
	m, err := newMessage(belfry.ServerSideEmit, event, args)
	if err != nil {
		return err
	}
	return n.space.Publish(ctx, m)
}

// ServerSideEmitAck does the same and returns the answer of each node. If some do
// not answer in time it returns those of the others and a *hub.Incomplete.
func (n *Namespace) ServerSideEmitAck(ctx context.Context, event string, args ...any) ([]Args, error) {
	if n.space == nil {
		return nil, errParent
	}
	m, err := newMessage(belfry.ServerSideEmit, event, args)
	if err != nil {
		return nil, err
	}
	replies, err := n.space.Request(ctx, m, hub.Others)
	var all []Args
	for _, r := range replies {
		all = append(all, newArgs(r.Body, r.Attachments))
	}
	return all, err
}

func (n *Namespace) serverSide(ctx context.Context, m *belfry.Message) (*hub.Answer, error) {
	event, args, err := splitEvent(m.Data, m.Attachments)
	if err != nil {
		return nil, err
	}
	f := n.handlers.load().serverSide[event]
	if f == nil {
		return nil, fmt.Errorf("no handler for server-side event %q", event)
	}
	values, err := f(ctx, args)
	if err != nil {
		return nil, err
	}
	data, attachments, err := marshalArgs(values)
	return &hub.Answer{Args: data, Attachments: attachments}, err
}

var errParent = errors.New("not available on the parent of dynamic namespaces: use one of its children")
