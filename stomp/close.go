package stomp

import (
	"errors"
	"fmt"
	"slices"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/stomp/frame"
	"github.com/seed-09a96375/belfry/websocket"
)

// Error is what hooks return for a client that is to be told a code of theirs. Any
// other error with a method ErrorCode will do.
type Error struct {
	Code    string // the header code of the ERROR frame: a word for programs
	Message string // for people
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// ErrorCode is the code.
func (e *Error) ErrorCode() string { return e.Code }

type coded interface {
	error
	ErrorCode() string
}

// later are codes of what may go well another time: the client comes back.
var later = []string{"unavailable", "auth_unavailable", "in_doubt", "timeout"} // never changed

// refusal is an error that a client is told in an ERROR frame, and the code that
// its WebSocket is closed with.
type refusal struct {
	code    int
	name    string // the header code; empty: that of names
	message string // the header message, one line
	version bool   // the client has to be told the versions
}

func (r *refusal) Error() string { return r.message }

// names are the codes of ERROR frames for which there is no other.
var names = map[int]string{
	websocket.CloseProtocol:      "protocol_error",
	websocket.ClosePolicy:        "forbidden",
	websocket.CloseInternalError: "internal_error",
	closeTryLater:                "unavailable",
} // never changed

func (r *refusal) codeName() string {
	if r.name != "" {
		return r.name
	}
	return names[r.code]
}

// invalid is what a client is told that broke the protocol.
func invalid(format string, args ...any) error {
	return &refusal{code: websocket.CloseProtocol, message: fmt.Sprintf(format, args...)}
}

// forbidden is what a client is told that may not do what it wants, or not now.
func forbidden(err error) error {
	var c coded
	if errors.As(err, &c) {
		return asRefusal(err)
	}
	r := &refusal{code: websocket.ClosePolicy, message: err.Error()}
	if errors.Is(err, belfry.ErrUnavailable) {
		r.code = closeTryLater
	}
	return r
}

// closeTryLater is the code "try again later", registered with IANA.
const closeTryLater = 1013

// asRefusal says what a client is told of err.
func asRefusal(err error) *refusal {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r
	}
	if f, ok := errors.AsType[*frame.Fault](err); ok {
		return &refusal{code: websocket.CloseProtocol, message: f.Error()}
	}
	var c coded
	if errors.As(err, &c) {
		r := &refusal{code: websocket.ClosePolicy, name: c.ErrorCode(), message: err.Error()}
		if slices.Contains(later, r.name) {
			r.code = closeTryLater
		}
		return r
	}
	if errors.Is(err, belfry.ErrUnavailable) || errors.Is(err, belfry.ErrClosed) {
		return &refusal{code: closeTryLater, message: "the cluster cannot be reached: try again later"}
	}
	return &refusal{code: websocket.CloseInternalError, message: err.Error()}
}

// fail sends an ERROR frame and ends the connection, once. receipt is the receipt
// that the frame at fault asked for, if any.
func (c *Conn) fail(err error, receipt string) {
	version, ok := c.leave()
	if !ok {
		return
	}
	r := asRefusal(err)
	b := frame.AppendCommand(newBuffer(len(r.message)), frame.Error)
	b = frame.AppendHeader(b, version, "message", r.message)
	if name := r.codeName(); name != "" {
		b = frame.AppendHeader(b, version, "code", name)
	}
	if receipt != "" {
		b = frame.AppendHeader(b, version, "receipt-id", receipt)
	}
	if r.version {
		b = frame.AppendHeader(b, version, "version", versions)
	}
	b = frame.AppendHeader(b, version, "content-type", "text/plain")
	c.write(frame.AppendBody(b, []byte(r.message)))
	c.ws.Close(r.code, r.message)
}

// End sends an ERROR frame with a code and a message, and ends the connection.
func (c *Conn) End(code, message string) { c.fail(&Error{code, message}, "") }

// close ends the connection without an ERROR frame.
func (c *Conn) close(code int, reason string) {
	if _, ok := c.leave(); ok {
		c.ws.Close(code, reason)
	}
}

// leave ends the connection for everybody here. ok says that this call did.
func (c *Conn) leave() (v frame.Version, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state >= failed {
		return c.version, false
	}
	c.state = failed
	c.server.wheel.Stop(&c.timer)
	if c.cancel != nil {
		c.cancel()
	}
	return c.version, true
}

// newBuffer has room for a frame of about n bytes of body, and for the header of
// the WebSocket frame before it.
func newBuffer(n int) []byte { return make([]byte, websocket.MaxHeader, websocket.MaxHeader+n+256) }

// write sends what was appended to a buffer, as text.
func (c *Conn) write(b []byte) {
	c.pulse.wroteAt(c.server.wheel)
	// Closed tells of a connection that is gone, or too slow.
	_ = c.ws.Send(poll.Frame{Data: websocket.PutHeader(b, websocket.MaxHeader, websocket.Text)})
}
