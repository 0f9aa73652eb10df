// Package websocket is the server side of RFC 6455 over package poll:
// handshake, frames, control frames, close, permessage-deflate (RFC 7692).
//
// A frame (RFC 6455 section 5.2), all numbers big-endian:
//
//	byte 0    FIN 0x80 | RSV1 0x40 | RSV2 0x20 | RSV3 0x10 | opcode 0x0F
//	byte 1    MASK 0x80 | length 0x7F
//	          length 126: the next 2 bytes are the length
//	          length 127: the next 8 bytes are the length
//	4 bytes   masking key, in frames from a client only
//	payload   from a client: byte i is xored with byte i%4 of the key
//
//	opcode  name           payload
//	0x0     continuation   the next part of a fragmented message
//	0x1     text           UTF-8
//	0x2     binary         bytes
//	0x8     close          nothing, or 2 bytes of code and a UTF-8 reason
//	0x9     ping           up to 125 bytes
//	0xA     pong           the payload of the ping that it answers
//
// RSV1 on the first frame of a message says that the message is compressed.
//
// The flow: Upgrader.Check judges a request, Upgrader.Upgrade answers it with
// 101 and hands the connection to a poll.Poller. From then on frames are parsed
// where they were read, messages go to a Handler, pings and close frames are
// answered here. An idle connection costs one Conn and nothing else.
//
// Whoever sends builds frames once with AppendFrame, PutHeader or CompressFrame
// and gives the same bytes to any number of connections.
package websocket

// Opcode is the kind of a frame, RFC 6455 section 5.2.
type Opcode byte

// The opcodes that a caller may build frames with. Close frames are built by
// Conn.Close alone.
const (
	Continuation Opcode = 0x0
	Text         Opcode = 0x1
	Binary       Opcode = 0x2
	Ping         Opcode = 0x9
	Pong         Opcode = 0xA

	closing Opcode = 0x8
)

// Handler receives what arrives on a Conn. Calls come one at a time from a
// goroutine that many connections share: they must not block.
type Handler interface {
	// Message hands over one whole message: op is Text or Binary, a text is
	// valid UTF-8. p is lent until Message returns; until then it may be
	// changed in place. An error closes the connection: a *CloseError with its
	// code and reason, any other with 1011. No call follows an error, a
	// Conn.Close or a Conn.Terminate.
	Message(op Opcode, p []byte) error
	// Closed is the last call, exactly once. code is the peer's close code,
	// 1005 if its close frame had none, 1006 if there was no close frame.
	// err is nil after a close handshake, and if the peer merely ended after
	// Conn.Close; io.EOF if the peer ended without a close frame; a *CloseError
	// if it broke the protocol or Message returned an error; else what ended the
	// connection: poll.ErrSlow, poll.ErrLinger, the error of Conn.Terminate, an
	// error of the network.
	Closed(code int, err error)
}

// PongHandler is what a Handler offers in addition if it wants to see pongs.
type PongHandler interface {
	// Pong hands over the payload of a pong. p is lent until Pong returns.
	Pong(p []byte)
}
