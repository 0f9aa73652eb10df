package frame

import (
	"errors"
	"fmt"
)

// What can be wrong with a frame. A *Fault wraps one of them.
var (
	ErrCommand       = errors.New("unknown command")
	ErrHeader        = errors.New("header without a colon")
	ErrHeaderName    = errors.New("header without a name")
	ErrHeaderByte    = errors.New("NUL or carriage return in a header")
	ErrEscape        = errors.New("undefined escape in a header")
	ErrLength        = errors.New("content-length is not a number of bytes")
	ErrNoNUL         = errors.New("no NUL after the body")
	ErrEnd           = errors.New("frame is not complete")
	ErrHeadersSize   = errors.New("headers are too long")
	ErrHeadersNumber = errors.New("too many headers")
	ErrBodySize      = errors.New("body is too long")
)

// Fault is an error of whoever sent the frame.
type Fault struct {
	Err error // one of those above
	At  int   // byte of the frame, from 0
}

func (f *Fault) Error() string { return fmt.Sprintf("%v (byte %d)", f.Err, f.At) }

func (f *Fault) Unwrap() error { return f.Err }

func fault(err error, at int) error { return &Fault{err, at} }
