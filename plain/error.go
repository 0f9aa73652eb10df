package plain

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/websocket"
)

// Error is what a client is told. Hooks may return one, or any error with a method
// ErrorCode() string; of others only the text reaches the client.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	// Room is the one that the error is about, if it is about one of several.
	Room belfry.Room `json:"room,omitempty"`
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// ErrorCode is the code.
func (e *Error) ErrorCode() string { return e.Code }

// Codes of errors. They are part of the protocol: docs/plain.md says what to do.
const (
	codeJSON         = "invalid_json"
	codeRequest      = "invalid_request"
	codeUnauthorized = "unauthorized"
	codeForbidden    = "forbidden"
	codeConnected    = "already_connected"
	codeNoApp        = "no_such_event"
	codeNoPresence   = "no_presence"
	codeNoHistory    = "no_history"
	codeNoAck        = "no_such_ack"
	codeRooms        = "too_many_rooms"
	codeUnavailable  = "unavailable"
	codeInDoubt      = "in_doubt"
	codeFailed       = "failed"
	codeTimeout      = "timeout"
	codeSlow         = "too_slow"
	codeShutdown     = "shutdown"
	codeDisconnected = "disconnected"
	codeAuthAway     = "auth_unavailable"
)

// invalid is what a client is told whose request makes no sense.
func invalid(format string, args ...any) *Error {
	return &Error{Code: codeRequest, Message: fmt.Sprintf(format, args...)}
}

// asError says what a client is told of err. code is for an error that has none.
func asError(err error, code string) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[interface {
		error
		ErrorCode() string
	}](err); ok {
		return &Error{Code: e.ErrorCode(), Message: err.Error()}
	}
	switch {
	case errors.Is(err, belfry.ErrInDoubt):
		return &Error{Code: codeInDoubt, Message: "it is not known whether the cluster has accepted it: repeat it with the same id"}
	case errors.Is(err, belfry.ErrUnavailable), errors.Is(err, belfry.ErrClosed), errors.Is(err, context.DeadlineExceeded):
		return &Error{Code: codeUnavailable, Message: "the cluster cannot be reached: try again later"}
	case errors.Is(err, hub.ErrTooManyRooms):
		return &Error{Code: codeRooms, Message: "too many rooms: leave one first"}
	}
	return &Error{Code: code, Message: err.Error()}
}

// again reports whether a client that is refused for this should come back.
func (e *Error) again() bool {
	return e.Code == codeUnavailable || e.Code == codeAuthAway || e.Code == codeInDoubt || e.Code == codeSlow
}

// closeTryLater is the code "try again later", registered with IANA.
const closeTryLater = 1013

// closeCode is what a WebSocket is closed with because of e.
func (e *Error) closeCode() int {
	switch {
	case e.again():
		return closeTryLater
	case e.Code == codeShutdown:
		return websocket.CloseGoingAway
	case e.Code == codeFailed:
		return websocket.CloseInternalError
	}
	return websocket.ClosePolicy
}
