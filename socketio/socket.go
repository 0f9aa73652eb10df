package socketio

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"
	"time"

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
	session   belfry.SessionID // with recovery
	since     belfry.Offset
	joined    map[belfry.Room]belfry.Offset // with recovery: since when in which room
	missed    []*belfry.Message             // of a recovered socket, until it is open
	recovered bool
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

// Handshake is what the client said when it connected.
func (s *Socket) Handshake() Handshake {
	h := s.client.session.Handshake()
	headers := make(map[string]string)
	for k, v := range h.Header() {
		headers[lower(k)] = joinHeader(k, v)
	}
	auth := s.Auth()
	if auth == nil {
		auth = Auth("{}")
	}
	return Handshake{
		Headers: headers, Query: lastValues(h.Query()), Auth: auth, URL: h.URL(), Address: h.RemoteAddr(),
		Secure: h.Secure(), CrossDomain: h.CrossDomain(), Issued: h.Time().UnixMilli(), Time: handshakeTime(h.Time()),
	}
}

// SetData keeps a value with the socket. FetchSockets shows it to all nodes and
// recovery restores it, both as JSON.
func (s *Socket) SetData(v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.more().data = v
}

// Data returns the value that SetData kept; false if there is none, or not of
// that type. After recovery, what was kept as a T comes back as one.
func Data[T any](s *Socket) (T, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var zero T
	if s.x == nil {
		return zero, false
	}
	if v, ok := s.x.data.(T); ok {
		return v, true
	}
	raw, ok := s.x.data.(restored)
	if !ok {
		return zero, false
	}
	var v T
	if json.Unmarshal(raw, &v) != nil {
		return zero, false
	}
	s.x.data = v
	return v, true
}

// restored is the data of a recovered socket before Data has given it a type.
type restored json.RawMessage

func (r restored) MarshalJSON() ([]byte, error) { return r, nil }

// Join puts the socket into rooms. It fails if that are too many
// (hub.ErrTooManyRooms) or the socket is disconnected.
func (s *Socket) Join(rooms ...belfry.Room) error {
	slot := hub.Slot(s.slot.Load())
	if slot == 0 {
		return s.joinEarly(rooms)
	}
	for _, room := range rooms {
		if room == belfry.Room(s.id) {
			continue
		}
		if err := s.remember(room); err != nil {
			return err
		}
		if _, _, err := s.nsp.space.Join(slot, room); err != nil {
			return joinError(err)
		}
	}
	return nil
}

func joinError(err error) error {
	if err == hub.ErrNoMember {
		return ErrDisconnected
	}
	return err
}

// joinEarly keeps the rooms that a middleware joins until there is a socket.
func (s *Socket) joinEarly(rooms []belfry.Room) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() != connecting {
		return ErrDisconnected
	}
	x := s.more()
	x.early = append(x.early, rooms...)
	return nil
}

// Leave takes the socket out of rooms.
func (s *Socket) Leave(rooms ...belfry.Room) {
	slot := hub.Slot(s.slot.Load())
	for _, room := range rooms {
		s.nsp.space.Leave(slot, room)
		s.forget(room)
	}
}

// Rooms are those the socket is in, its own first; after the disconnect those it
// was in.
func (s *Socket) Rooms() []belfry.Room {
	own := []belfry.Room{belfry.Room(s.id)}
	s.mu.Lock()
	ended := s.state.Load() == disconnected
	var left []belfry.Room
	if ended && s.x != nil {
		left = s.x.left
	}
	s.mu.Unlock()
	if ended {
		return append(own, left...)
	}
	return append(own, s.nsp.space.RoomsOf(hub.Slot(s.slot.Load()))...)
}

// Disconnect ends the socket, or the client's whole connection. Clients do not
// reconnect by themselves after it.
func (s *Socket) Disconnect(closeTransport bool) {
	if !closeTransport {
		s.disconnect()
		return
	}
	s.client.mu.Lock()
	sockets := s.client.sockets()
	s.client.mu.Unlock()
	for _, other := range sockets {
		other.disconnect()
	}
	s.client.session.Close()
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

// Describe implements hub.Member.
func (s *Socket) Describe() []byte {
	s.mu.Lock()
	var data any
	if s.x != nil {
		data = s.x.data
	}
	s.mu.Unlock()
	if data == nil {
		data = struct{}{}
	}
	described := struct {
		ID        belfry.SocketID `json:"id"`
		Handshake Handshake       `json:"handshake"`
		Rooms     []belfry.Room   `json:"rooms"`
		Data      any             `json:"data"`
	}{s.id, s.Handshake(), s.Rooms(), data}
	b, err := json.Marshal(described)
	if err != nil {
		described.Data = struct{}{} // the application's data has no JSON form
		b, _ = json.Marshal(described)
	}
	return b
}

// join makes the socket a member of its namespace and of the rooms that its
// middlewares joined. Until open, what it gets is held back.
func (s *Socket) join() error {
	if err := s.begin(); err != nil {
		return err
	}
	slot, err := s.nsp.space.Add(s)
	if err != nil {
		return err
	}
	s.slot.Store(uint64(slot))
	s.mu.Lock()
	var early []belfry.Room
	if s.x != nil {
		early, s.x.early = slices.Clone(s.x.early), nil
	}
	s.mu.Unlock()
	if err := s.Join(early...); err != nil {
		s.end(ReasonServerDisconnect)
		return err
	}
	return nil
}

// open sends the answer to CONNECT, after what a recovered client missed and
// before what came while the socket was connecting. It reports false if the
// socket was disconnected meanwhile.
func (s *Socket) open() bool {
	s.mu.Lock()
	if s.state.Load() != connecting {
		hello := s.hello()
		s.mu.Unlock()
		_ = s.client.send(hello, engineio.SendOptions{})
		_ = s.client.send(disconnectPacket(s.nsp.name), engineio.SendOptions{})
		return false
	}
	sent := s.replay()
	_ = s.client.send(s.hello(), engineio.SendOptions{})
	sent = append(sent, s.flushHeld(sent)...)
	s.state.Store(connected)
	s.mu.Unlock()
	for _, d := range sent {
		s.observe(d)
	}
	return true
}

// flushHeld writes what came while the socket was connecting, less what was
// replayed; s.mu is held.
func (s *Socket) flushHeld(replayed []*hub.Delivery) (sent []*hub.Delivery) {
	if s.x == nil {
		return nil
	}
	var last belfry.Offset
	if n := len(replayed); n > 0 {
		last = replayed[n-1].Offset
	}
	for _, d := range s.x.held {
		if last == "" || d.Offset == "" || s.nsp.space.Before(last, d.Offset) {
			s.transmit(d)
			sent = append(sent, d)
		}
	}
	s.x.held = nil
	return sent
}

// end makes the socket a disconnected one; false if it is already.
func (s *Socket) end(reason Reason) bool { return s.endFrom(reason) != disconnected }

// endFrom does the same and returns the state the socket was in.
func (s *Socket) endFrom(reason Reason) uint32 {
	s.mu.Lock()
	state := s.state.Load()
	if state == disconnected {
		s.mu.Unlock()
		return state
	}
	s.state.Store(disconnected)
	x := s.more()
	x.reason, x.acks, x.held, x.missed = reason, nil, nil, nil
	if x.done != nil {
		close(x.done)
	}
	s.mu.Unlock()
	left := s.nsp.space.Remove(hub.Slot(s.slot.Load()))
	s.mu.Lock()
	x.left = left
	s.mu.Unlock()
	return state
}

func (s *Socket) endReason() Reason {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.x.reason
}

// disconnect tells the client and ends the socket. The handlers run in the
// client's turn. A socket that is not open yet tells its client when it would
// have been.
func (s *Socket) disconnect() {
	switch s.endFrom(ReasonServerDisconnect) {
	case disconnected:
		return
	case connected:
		_ = s.client.send(disconnectPacket(s.nsp.name), engineio.SendOptions{})
	}
	s.client.push(item{kind: ended, socket: s}, 0)
}

// socketContext is the context of a socket, without an allocation.
type socketContext Socket

func (c *socketContext) Deadline() (time.Time, bool) { return time.Time{}, false }
func (c *socketContext) Value(any) any               { return nil }

func (c *socketContext) Done() <-chan struct{} {
	s := (*Socket)(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.more()
	if x.done == nil {
		x.done = make(chan struct{})
		if s.state.Load() == disconnected {
			close(x.done)
		}
	}
	return x.done
}

func (c *socketContext) Err() error {
	if (*Socket)(c).state.Load() == disconnected {
		return context.Canceled
	}
	return nil
}
