package auth

import "errors"

// Code says what kind of refusal an Error is. Its text is part of the protocol.
type Code string

const (
	Missing     Code = "token_missing"    // nothing was shown
	Invalid     Code = "token_invalid"    // another token is needed
	Expired     Code = "token_expired"    // a fresh token is needed
	Forbidden   Code = "forbidden"        // known, but not allowed
	Unavailable Code = "auth_unavailable" // cannot be told now: try again later
)

// Error refuses. Message names what is wrong, and holds no secret.
type Error struct {
	Code    Code
	Message string
	Err     error // the cause, for the operator's log; nil: none
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// ErrorCode is the code as fronts send it.
func (e *Error) ErrorCode() string { return string(e.Code) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of an error of this package, Unavailable for others.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Unavailable
}
