package socketio

import (
	"sync"
	"sync/atomic"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/hub"
)

// Socket is one client in one namespace. Safe for concurrent use.
type Socket struct {
	id       belfry.SocketID
	nsp      *Namespace
	client   *client
	slot     atomic.Uint64 // hub.Slot; 0: not in the index
	state    atomic.Uint32
	finished atomic.Bool              // disconnect handlers have run
	own      atomic.Pointer[handlers] // nil: none of its own

	// replayed is how far a recovered client has the log: what is up to there may
	// still come live.
	replayed atomic.Pointer[belfry.Offset]

	mu sync.Mutex
	x  *extra // guarded by mu; nil until something is in it
}

const (
	connecting uint32 = iota // deliveries are held back
	connected
	disconnected
)

// extra is what most sockets do not have.
type extra struct {
	auth      Auth
	data      any
	acks      map[uint64]func(hub.Answer)
	done      chan struct{}
	held      []*hub.Delivery // while connecting
	early     []belfry.Room   // joined while connecting
	left      []belfry.Room   // rooms at the end
	reason    Reason
	session   *session          // with recovery
	missed    []*belfry.Message // of a recovered socket, until it is open
	has       belfry.Offset     // how far its client had the log before that
	recovered bool

	attendance *attendance // in rooms that keep presence, or of a user
}

func newSocket(c *client, n *Namespace, id belfry.SocketID, auth Auth) *Socket {
	s := &Socket{id: id, nsp: n, client: c}
	if len(auth) > 0 && string(auth) != "{}" {
		s.x = &extra{auth: auth}
	}
	return s
}

// more returns the extra part; s.mu is held.
func (s *Socket) more() *extra {
	if s.x == nil {
		s.x = &extra{}
	}
	return s.x
}

// ID is public, 20 characters, and names a room with this socket in it.
func (s *Socket) ID() belfry.SocketID { return s.id }

// MemberID implements hub.Member.
func (s *Socket) MemberID() belfry.SocketID { return s.id }

// Namespace the socket belongs to.
func (s *Socket) Namespace() *Namespace { return s.nsp }

// Connected reports whether events can be sent.
func (s *Socket) Connected() bool {
	state := s.state.Load()
	if state == connecting {
		// The client may have the answer to its CONNECT already: let open finish.
		s.mu.Lock()
		state = s.state.Load()
		s.mu.Unlock()
	}
	return state == connected
}

// Recovered reports whether the client resumed an earlier session: id, rooms and
// data are those it had, and it has got what it missed.
func (s *Socket) Recovered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.x != nil && s.x.recovered
}

// Session is the Engine.IO session that carries the socket.
func (s *Socket) Session() *engineio.Session { return s.client.session }

// Auth is what the client sent with CONNECT, a JSON object; nil if nothing.
func (s *Socket) Auth() Auth {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.x == nil {
		return nil
	}
	return s.x.auth
}

// OnDisconnect calls f when this socket has disconnected. See
// Namespace.OnDisconnect.
func (s *Socket) OnDisconnect(f func(s *Socket, reason Reason)) { onDisconnect(s, f) }

// OnAny calls f for every event of this socket, before its handler.
func (s *Socket) OnAny(f func(s *Socket, event string, args Args)) { onAny(s, f) }

// OnAnyOutgoing calls f for every event that is sent to this socket.
func (s *Socket) OnAnyOutgoing(f func(s *Socket, event string, args Args)) { onAnyOutgoing(s, f) }

func (s *Socket) registry() *handlers {
	s.own.CompareAndSwap(nil, &handlers{})
	return s.own.Load()
}

// registries are the places where handlers for this socket may be registered,
// its own first.
func (s *Socket) registries() []*handlers {
	if own := s.own.Load(); own != nil {
		return []*handlers{own, s.nsp.handlers}
	}
	return []*handlers{s.nsp.handlers}
}
