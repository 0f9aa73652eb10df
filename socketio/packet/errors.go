package packet

import (
	"errors"
	"fmt"
)

// What can be wrong with a packet. Decoders return them inside an *Error; every
// one of them is the end of the connection.
var (
	ErrEmpty       = errors.New("empty packet")
	ErrType        = errors.New("unknown packet type")
	ErrNamespace   = errors.New("invalid namespace")
	ErrID          = errors.New("invalid ack id")
	ErrJSON        = errors.New("invalid JSON")
	ErrUTF8        = errors.New("invalid UTF-8")
	ErrDepth       = errors.New("arrays and objects nest too deep")
	ErrPayload     = errors.New("payload does not fit the packet type")
	ErrReserved    = errors.New("reserved event name")
	ErrCount       = errors.New("invalid attachment count")
	ErrAttachments = errors.New("too many attachments")
	ErrTooLarge    = errors.New("attachments too large")
	ErrPlaceholder = errors.New("placeholder for no attachment")
	ErrText        = errors.New("text message while attachments are missing")
	ErrBinary      = errors.New("binary message without a packet that announced it")
	ErrMsgpack     = errors.New("invalid msgpack")
)

// Error says what is wrong with a packet and where. It wraps one of the Err
// values of this package.
type Error struct {
	Err error
	// Offset counts bytes from the start of the message that was decoded.
	Offset int
}

func (e *Error) Error() string { return fmt.Sprintf("%v at byte %d", e.Err, e.Offset) }

func (e *Error) Unwrap() error { return e.Err }

func fail(err error, offset int) error { return &Error{Err: err, Offset: offset} }
