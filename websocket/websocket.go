// Package websocket is the server side of RFC 6455 over package poll:
// handshake, frames, control frames, close, permessage-deflate (RFC 7692).
package websocket

// Opcode, RFC 6455 section 5.2.
type Opcode byte

const (
	Continuation Opcode = 0x0
	Text         Opcode = 0x1
	Binary       Opcode = 0x2
	closeFrame   Opcode = 0x8
	pingFrame    Opcode = 0x9
	pongFrame    Opcode = 0xA
)

// Handler receives what arrives on a Conn. Calls come one at a time from a
// goroutine that many connections share: they must not block.
type Handler interface {
	// Message hands over one whole message. p is lent until Message returns.
	// An error closes the connection: see CloseError for the code, 1011
	// otherwise.
	Message(op Opcode, p []byte) error
	// Closed is the last call, exactly once. code is the peer's close code,
	// 1005 if its close frame had none, 1006 if there was no close frame.
	Closed(code int, err error)
}
