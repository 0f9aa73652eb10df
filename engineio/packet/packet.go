// Package packet is the codec of the Engine.IO protocol, version 4, and of its
// predecessor, version 3.
//
//	type  name     meaning
//	0     open     handshake, server to client
//	1     close    the session ends
//	2     ping     v4: server asks; v3: client asks
//	3     pong     the answer
//	4     message  a message, text or binary
//	5     upgrade  the client moves to the new transport
//	6     noop     releases a pending poll
//
// WebSocket, v4: a text frame is the type as a digit, then the data; a binary
// frame is the data of a message. v3: binary frames begin with a byte of the
// type's value (4).
//
// HTTP long-polling carries payloads, several packets in one body:
//
//	v4 text    packet *( %x1E packet ), binary as "b" base64
//	v3 text    *( length ":" packet ), binary as "b" type base64, length in
//	           UTF-16 code units
//	v3 binary  *( ( %x00 / %x01 ) digits %xFF data ), digits are bytes of value
//	           0 to 9, data is type and data
//
// Source: the Engine.IO protocol document, versions 4 and 3, and the behaviour
// of engine.io-parser 5.2.3 and of the v3 parser in engine.io 6.6.12.
package packet

// Type is the kind of a packet.
type Type uint8

const (
	Open Type = iota
	Close
	Ping
	Pong
	Message
	Upgrade
	Noop
)

// String returns the name that the protocol document uses.
func (t Type) String() string {
	names := [...]string{"open", "close", "ping", "pong", "message", "upgrade", "noop"}
	if int(t) < len(names) {
		return names[t]
	}
	return "unknown"
}

// Packet is one packet. Who may change or keep Data is said by the function that
// made it.
type Packet struct {
	Type Type
	// Binary marks a message whose Data is bytes; otherwise Data is UTF-8 text.
	Binary bool
	// Data is empty if the packet has none.
	Data []byte
}
