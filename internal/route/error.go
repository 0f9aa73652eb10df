package route

import (
	"context"
	"errors"

	"github.com/seed-09a96375/belfry"
)

// Code says what kind of failure an Error is. Its text is part of the protocols:
// clients branch on it.
type Code string

const (
	NoRoute     Code = "no_route"    // nothing takes events of this name
	Forbidden   Code = "forbidden"   // the client may not
	Invalid     Code = "invalid"     // the event lacks what the route needs
	Unavailable Code = "unavailable" // not accepted; again later
	InDoubt     Code = "in_doubt"    // maybe accepted; again, with the same id
	Timeout     Code = "timeout"     // accepted, but no backend has answered yet
	Rejected    Code = "rejected"    // a backend has answered with an error
)

// Error tells a client why its event was not dealt with. Message holds no secret.
type Error struct {
	Code    Code
	Message string
	Err     error // the cause, for the operator's log; nil: none
}

// Error is the code and the message.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrorCode is the code as fronts send it.
func (e *Error) ErrorCode() string { return string(e.Code) }

// failure makes the error of a queue or a bus. ErrDuplicate is none.
func failure(what string, err error) error {
	switch {
	case err == nil, errors.Is(err, belfry.ErrDuplicate):
		return nil
	case errors.Is(err, belfry.ErrUnavailable):
		return &Error{Unavailable, "the " + what + " cannot be reached: nothing was accepted, try again", err}
	case errors.Is(err, belfry.ErrInDoubt), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &Error{InDoubt, "the " + what + " has not confirmed: repeat the event with the same id", err}
	}
	return &Error{Unavailable, "the " + what + " has failed: try again, with the same id", err}
}
