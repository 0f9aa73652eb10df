package websocket

import (
	"net/http"
)

// Upgrader turns HTTP requests into connections. Safe for concurrent use.
type Upgrader struct {
	o Options
}

// New checks o and returns an Upgrader. It starts nothing.
func New(o Options) (*Upgrader, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return &Upgrader{o: o.withDefaults()}, nil
}

// HandshakeError says why a request cannot become a WebSocket. Nothing has been
// written yet: the caller answers with Status, Header and Message.
type HandshakeError struct {
	Status  int         // HTTP status
	Message string      // for the body, one line
	Header  http.Header // to be added to the response; may be nil
}

func (e *HandshakeError) Error() string { return "websocket handshake: " + e.Message }

// Handshake is a request that passed Upgrader.Check. It refers to nothing of
// the request. The zero value is not a handshake: Upgrade refuses it.
type Handshake struct {
	accept   string // the answer to the key; empty: no handshake
	protocol uint8  // index in Options.Subprotocols + 1; 0: none
	deflate  deflateAnswer
}

type deflateAnswer uint8

// Check judges r by RFC 6455 section 4.2.1 and negotiates subprotocol and
// permessage-deflate. It writes nothing and does not change r. Every error is a
// *HandshakeError.
func (u *Upgrader) Check(r *http.Request) (Handshake, error) {
	return Handshake{}, &HandshakeError{Status: http.StatusNotImplemented, Message: "not implemented"}
}

// Subprotocol returns the name that was agreed upon, empty if none was.
func (u *Upgrader) Subprotocol(h Handshake) string { return "" }

// Start is what a connection begins with.
type Start struct {
	// Header is added to the 101 response; the headers of the handshake itself
	// in it are ignored. May be nil.
	Header http.Header
	// First are complete frames that leave in the same write as the response.
	// May be empty. Not kept.
	First []byte
	// Bind is called with the new Conn, before any call of the Handler that it
	// returns. Required.
	Bind func(*Conn) Handler
}

// Upgrade answers the request of w with 101 and makes its connection a Conn of
// the Poller. Nothing of net/http stays referenced. It blocks until the
// response is written, no longer than Options.HandshakeTimeout.
//
// A *HandshakeError says that w cannot be taken over: the caller may still
// answer. After any other error the network connection is closed. In either
// case Bind was not called, or its Handler gets Closed. When Upgrade returns
// nil the Handler may already have been called, Closed included.
func (u *Upgrader) Upgrade(w http.ResponseWriter, h Handshake, s Start) (*Conn, error) {
	return nil, &HandshakeError{Status: http.StatusNotImplemented, Message: "not implemented"}
}

func isToken(s string) bool { return s != "" }
