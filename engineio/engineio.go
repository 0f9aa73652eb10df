// Package engineio is the server side of Engine.IO, protocol 4, and of protocol
// 3 where it is allowed: sessions over HTTP long-polling and WebSocket, the
// heartbeat, and the upgrade from the one transport to the other.
//
// A packet is a type and data:
//
//	0 open     server → client  handshake: sid, upgrades, pingInterval, pingTimeout, maxPayload
//	1 close    both             the session ends
//	2 ping     server → client  protocol 3: client → server; "2probe" on a new transport
//	3 pong     client → server  protocol 3: server → client; "3probe" on a new transport
//	4 message  both             data of the layer above
//	5 upgrade  client → server  the session moves to the transport that this came on
//	6 noop     server → client  releases a waiting poll
//
// WebSocket carries one packet per frame; a binary frame is a binary message.
// Long-polling carries packets joined by 0x1e in the answer of a GET and in the
// body of a POST; a binary message is "b" and its base64 form.
//
// Flow of an upgrade:
//
//	ws    > 2probe
//	ws    < 3probe
//	poll  < 6         for as long as GETs come: the client pauses polling
//	ws    > 5         from here on everything goes over the WebSocket
//
// Source: github.com/socketio/engine.io-protocol, revisions 3 and 4.
package engineio

// Transport is the way a session's packets go.
type Transport uint8

const (
	Polling   Transport = iota // HTTP long-polling
	WebSocket                  // RFC 6455
)

// String returns the name that the transport query parameter has.
func (t Transport) String() string {
	switch t {
	case Polling:
		return "polling"
	case WebSocket:
		return "websocket"
	default:
		return "unknown"
	}
}

// Receiver is the layer above a Session. Its methods are called one at a time,
// from goroutines that many sessions share: they must not block. They may call
// every method of the Session.
type Receiver interface {
	// Message hands over one message. data is lent: it is valid until Message
	// returns. An error closes the session gracefully with ReasonForcedClose: it says
	// that the client broke the protocol of the layer above.
	Message(data []byte, binary bool) error
	// Closed is the last call, exactly once. detail is nil, or what lies behind
	// the reason. What was sent before a graceful close may still be on its way
	// to the client.
	Closed(reason Reason, detail error)
}
