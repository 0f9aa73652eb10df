package engineio

import (
	"errors"

	"github.com/seed-09a96375/belfry/poll"
)

// Session is one client's connection: it outlives the change of its transport.
// Safe for concurrent use; every method may be called from within the methods
// of its Receiver.
type Session struct {
	hs *Handshake
}

// SendOptions says how one message is sent. The zero value is a reliable
// message; a client that reads too slowly for it is closed.
type SendOptions struct {
	// Volatile messages are dropped (poll.ErrDropped) when they cannot be
	// written at once: WebSocket: earlier bytes are stuck; polling: no GET waits.
	Volatile bool
	// NoCompress keeps the message out of permessage-deflate and does not by
	// itself make a polling answer compressed.
	NoCompress bool
	// Overflow says what gives way when the client reads too slowly; Key groups
	// messages for poll.KeepLatest.
	Overflow poll.Overflow
	Key      uint64
}

// ID returns the session id, 20 characters. It is a secret of this client.
func (s *Session) ID() string { return "" }

// Protocol returns the protocol version, 3 or 4.
func (s *Session) Protocol() int { return 4 }

// Transport returns the transport in use now.
func (s *Session) Transport() Transport { return Polling }

// Handshake returns the request that the session began with.
func (s *Session) Handshake() *Handshake { return s.hs }

// RemoteAddr returns the address of the peer at the handshake.
func (s *Session) RemoteAddr() string { return s.hs.RemoteAddr() }

// Send sends m. It never blocks. Messages keep the order in which Send was
// called, through an upgrade, too. Errors: poll.ErrClosed after the session's
// end, poll.ErrSlow if the client reads too slowly and is closed for it,
// poll.ErrDropped if this very message was dropped.
func (s *Session) Send(m *Message, o SendOptions) error { return errors.ErrUnsupported }

// Writable reports whether a volatile message would be sent now.
func (s *Session) Writable() bool { return false }

// Pause stops reading messages: a WebSocket is not read any more, a POST is not
// answered, so that the client is slowed down. Resume goes on. Called from
// within Receiver.Message, no further Message comes until Resume.
func (s *Session) Pause() {}

// Resume ends Pause.
func (s *Session) Resume() {}

// Close ends the session gracefully: what was sent before is still delivered if
// the client takes it in time. Receiver.Closed gets ReasonForcedClose.
func (s *Session) Close() { s.CloseReason(ReasonForcedClose) }

// CloseReason is Close with another reason for Receiver.Closed.
func (s *Session) CloseReason(r Reason) {}
