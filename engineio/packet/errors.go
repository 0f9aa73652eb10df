package packet

import (
	"errors"
	"fmt"
)

// What can be wrong with a packet or payload. Decoders return them inside an
// *Error; every one of them is the end of the session ("parse error").
var (
	ErrEmpty  = errors.New("empty packet")
	ErrType   = errors.New("unknown packet type")
	ErrUTF8   = errors.New("invalid UTF-8")
	ErrLength = errors.New("invalid length of a packet")
	ErrForm   = errors.New("form without a field d")
)

// Error says what is wrong and where. It wraps one of the Err values of this
// package.
type Error struct {
	Err error
	// Offset counts bytes from the start of what was decoded.
	Offset int
}

func (e *Error) Error() string { return fmt.Sprintf("%v at byte %d", e.Err, e.Offset) }

func (e *Error) Unwrap() error { return e.Err }

// shift returns err for a text that stands n bytes into what was decoded.
func shift(err error, n int) error {
	if err == nil {
		return nil // without the allocation below
	}
	var at *Error
	if errors.As(err, &at) {
		return fail(at.Err, at.Offset+n)
	}
	return err
}

func fail(err error, offset int) error { return &Error{Err: err, Offset: offset} }
