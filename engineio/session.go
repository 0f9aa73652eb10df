package engineio

import (
	"sync"
	"sync/atomic"

	"github.com/seed-09a96375/belfry/engineio/packet"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/poll/cork"
	"github.com/seed-09a96375/belfry/websocket"
)

// Session is one client's connection: it outlives the change of its transport.
// Safe for concurrent use; every method may be called from within the methods
// of its Receiver.
type Session struct {
	id       sessionID
	protocol uint8 // 3 or 4
	srv      *Server
	recv     Receiver
	hs       Handshake

	gate gate
	seen atomic.Uint32 // tick of the last packet
	// ws is set once packets go over a WebSocket, and stays set. Who reads nil
	// looks again with mu held.
	ws atomic.Pointer[websocket.Conn]

	mu     sync.Mutex
	state  state
	beat   beat
	paused bool
	timer  timer
	poll   *polling // nil once packets go over a WebSocket
	end    *ending  // nil while open
}

type state uint8

const (
	stateOpen    state = iota
	stateClosing       // closed for the layer above; polling still delivers what was sent before
	stateClosed
)

// ending is what Receiver.Closed gets.
type ending struct {
	reason Reason
	detail error
}

// SendOptions says how one message is sent. The zero value is a reliable
// message: a client that reads too slowly for it is closed.
type SendOptions struct {
	// Volatile messages are dropped (poll.ErrDropped) when they cannot be
	// written at once. WebSocket: earlier bytes are stuck; polling: no GET waits.
	Volatile bool
	// NoCompress keeps the message out of permessage-deflate, and alone does not
	// make a polling answer compressed.
	NoCompress bool
	// Overflow says what gives way when the client reads too slowly; Key groups
	// messages for poll.KeepLatest.
	Overflow poll.Overflow
	Key      uint64
	// Cork is that of poll.Frame. Polling has no use for it.
	Cork *cork.Cork
}

// ID returns the session id, 20 characters. It is a secret of this client.
func (s *Session) ID() string { return s.id.String() }

// Protocol returns the protocol version, 3 or 4.
func (s *Session) Protocol() int { return int(s.protocol) }

// Transport returns the transport in use now.
func (s *Session) Transport() Transport {
	if s.ws.Load() != nil {
		return WebSocket
	}
	return Polling
}

// Handshake returns the request that the session began with.
func (s *Session) Handshake() *Handshake { return &s.hs }

// RemoteAddr returns the address of the peer at the handshake.
func (s *Session) RemoteAddr() string { return s.hs.RemoteAddr() }

// Send sends m. It never blocks. Messages keep the order in which Send was
// called, through an upgrade, too. Errors: poll.ErrClosed after the session's
// end, poll.ErrSlow if the client reads too slowly and is closed for it,
// poll.ErrDropped if this very message was dropped.
func (s *Session) Send(m *Message, o SendOptions) error {
	if c := s.ws.Load(); c != nil {
		return s.sendFrames(c, m, o)
	}
	return s.enqueue(m, o)
}

// Writable reports whether a volatile message would be sent now.
func (s *Session) Writable() bool {
	if c := s.ws.Load(); c != nil {
		return c.Buffered() == 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == stateOpen && s.poll != nil && s.poll.get != nil
}

// Pause slows the client down: its WebSocket is not read any more, or its POST
// is read no further and not answered. Of a WebSocket, messages that were read
// already may still come: 64 KiB at most. Resume goes on.
func (s *Session) Pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = true
	if c := s.ws.Load(); c != nil {
		c.PauseRead()
	}
}

// Resume ends Pause.
func (s *Session) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = false
	s.wakePOST()
	if c := s.ws.Load(); c != nil {
		c.ResumeRead()
	}
}

// control sends a packet without data that keeps its place among the messages.
// s.mu is held.
func (s *Session) control(t packet.Type) {
	if s.state != stateOpen {
		return
	}
	if c := s.ws.Load(); c != nil {
		sendControl(c, t)
		return
	}
	s.poll.queue.add(item{typ: t})
	s.poll.wakeGET()
}

// receive acts on one packet that came over the transport in use. Its data is
// lent. Calls come one at a time.
func (s *Session) receive(p packet.Packet) {
	s.seen.Store(uint32(s.srv.wheel.Recent()))
	switch p.Type {
	case packet.Message:
		s.deliver(p.Data, p.Binary)
	case packet.Ping:
		s.onPing()
	case packet.Pong:
		s.onPong()
	case packet.Close:
		s.drop(ReasonTransportClose, nil, packet.Noop)
	default: // without meaning here
	}
}

// deliver hands a message to the layer above, unless the session was closed.
func (s *Session) deliver(data []byte, binary bool) {
	if !s.gate.enter() {
		return
	}
	defer s.leave()
	if err := s.recv.Message(data, binary); err != nil {
		s.shut(ReasonForcedClose, err, directly)
	}
}

func (s *Session) leave() {
	if s.gate.leave() {
		s.lastCall()
	}
}
