// Package packet is the codec of Socket.IO protocol 5: the text form of the
// default parser, and the MessagePack form of socket.io-msgpack-parser.
//
//	packet = type [ count "-" ] [ namespace "," ] [ id ] [ json ]
//
//	type  name          json
//	0     CONNECT       absent or an object
//	1     DISCONNECT    absent
//	2     EVENT         array: a name (string or number), then the arguments
//	3     ACK           array: the arguments
//	4     CONNECT_ERROR string or object
//	5     BINARY_EVENT  as EVENT, with count and placeholders
//	6     BINARY_ACK    as ACK, with count and placeholders
//
// A packet is the text of one Engine.IO message. The attachments of types 5 and
// 6 follow as binary messages, in the order of their index, with nothing
// between; {"_placeholder":true,"num":i} stands where attachment i belongs.
//
// Payloads stay raw JSON: the codec checks them and hands them on.
//
// Source: the Socket.IO protocol document, revision 5, and the behaviour of
// socket.io-parser 4.2.7. Where this package differs on purpose, the function
// says so.
package packet

// Type is the kind of a packet.
type Type uint8

const (
	Connect Type = iota
	Disconnect
	Event
	Ack
	ConnectError
	BinaryEvent
	BinaryAck
)

// String returns the name that the protocol document uses.
func (t Type) String() string {
	names := [...]string{"CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR", "BINARY_EVENT", "BINARY_ACK"}
	if int(t) < len(names) {
		return names[t]
	}
	return "UNKNOWN"
}

// Binary reports whether attachments follow a packet of this type.
func (t Type) Binary() bool { return t == BinaryEvent || t == BinaryAck }

// Plain returns Event for BinaryEvent, Ack for BinaryAck, else t: what the
// packet means, however its arguments travel.
func (t Type) Plain() Type {
	if t.Binary() {
		return t - (BinaryEvent - Event)
	}
	return t
}

// Packet is one packet. It is a value without hidden state; who may change or
// keep the slices is said by the function that made it.
type Packet struct {
	Type  Type
	HasID bool
	// Count is how many attachments a binary packet announced; 0 for the other
	// types. Encoders ignore it, they count Attachments.
	Count int
	// Namespace is "/" or "/name".
	Namespace string
	// ID asks for an ack (Event) or names what is acked (Ack), if HasID.
	ID uint64
	// Data is valid JSON, or nil if the packet has no payload.
	Data []byte
	// Attachments are the binary arguments that placeholders in Data stand for.
	Attachments [][]byte
}
