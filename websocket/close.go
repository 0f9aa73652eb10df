package websocket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/seed-09a96375/belfry/poll"
)

// Close codes, RFC 6455 section 7.4.1.
const (
	CloseNormal        = 1000
	CloseGoingAway     = 1001
	CloseProtocol      = 1002
	CloseUnsupported   = 1003
	CloseNoStatus      = 1005 // never on the wire: the close frame had no code
	CloseAbnormal      = 1006 // never on the wire: there was no close frame
	CloseInvalidData   = 1007
	ClosePolicy        = 1008
	CloseTooBig        = 1009
	CloseInternalError = 1011
)

// maxReason is what a control frame leaves for the reason, in bytes.
const maxReason = maxControl - 2

// CloseError is an error that ends a connection with a close frame.
type CloseError struct {
	Code   int    // on the wire; see Conn.Close
	Reason string // on the wire; may be empty
	Err    error  // why; stays here; may be nil
}

func (e *CloseError) Error() string {
	switch {
	case e.Err != nil:
		return fmt.Sprintf("websocket closed with %d: %v", e.Code, e.Err)
	case e.Reason != "":
		return fmt.Sprintf("websocket closed with %d: %s", e.Code, e.Reason)
	}
	return fmt.Sprintf("websocket closed with %d", e.Code)
}

func (e *CloseError) Unwrap() error { return e.Err }

// violation is an error of the peer. The text stays here: clients are told the
// code alone, as Node's ws does.
func violation(code int, text string) error {
	return &CloseError{Code: code, Err: errors.New(text)}
}

// asCloseError is what a connection ends with because of err.
func asCloseError(err error) *CloseError {
	if ce, ok := errors.AsType[*CloseError](err); ok {
		return ce
	}
	return &CloseError{Code: CloseInternalError, Err: err}
}

// onWire reports whether code may stand in a close frame: the codes of RFC 6455
// section 7.4 and those that IANA has registered since.
func onWire(code int) bool {
	switch code {
	case 1004, CloseNoStatus, CloseAbnormal:
		return false
	}
	return 1000 <= code && code <= 1014 || 3000 <= code && code <= 4999
}

// appendClose appends a close frame; see Conn.Close for code and reason.
func appendClose(dst []byte, code int, reason string) []byte {
	if code == 0 || code == CloseNoStatus {
		return AppendHeader(dst, closing, true, false, 0)
	}
	if !onWire(code) {
		code = CloseInternalError
	}
	reason = cutReason(reason)
	dst = AppendHeader(dst, closing, true, false, 2+len(reason))
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	return append(dst, reason...)
}

// cutReason makes a reason fit into a control frame, in valid UTF-8.
func cutReason(s string) string {
	end := 0
	for i, r := range s {
		size := utf8.RuneLen(r)
		if r == utf8.RuneError && s[i:min(i+size, len(s))] != string(utf8.RuneError) || i+size > maxReason {
			break
		}
		end = i + size
	}
	return s[:end]
}

// parseClose reads the payload of a close frame, RFC 6455 section 5.5.1.
func parseClose(p []byte) (code int, err error) {
	switch {
	case len(p) == 0:
		return CloseNoStatus, nil
	case len(p) == 1:
		return 0, violation(CloseProtocol, "close frame with half a code")
	}
	code = int(binary.BigEndian.Uint16(p))
	if !onWire(code) {
		return 0, violation(CloseProtocol, fmt.Sprintf("close frame with code %d", code))
	}
	if !utf8.Valid(p[2:]) {
		return 0, violation(CloseInvalidData, "close reason is not UTF-8")
	}
	return code, nil
}

// Close begins the close handshake: what was sent before still goes out, then
// a close frame, then the end of the stream. The connection is over once the
// peer has answered or ended, or after the linger time of the poller. Code 0
// and 1005 send a close frame without code and reason. The reason is cut after
// 123 bytes and before anything that is not UTF-8. A code that RFC 6455 section
// 7.4 does not allow in a frame is sent as 1011. Only the first call counts.
// Handler.Message is not called any more, unless it runs already.
func (c *Conn) Close(code int, reason string) {
	c.sendClose(code, reason, 0)
}

// Terminate ends the connection at once, without a close frame; queued bytes
// are lost. err goes to Handler.Closed. Handler.Message is not called any more,
// unless it runs already.
func (c *Conn) Terminate(err error) {
	c.state.Or(closeSent | deaf)
	c.pc.Close(err)
}

// sendClose sends the only close frame and ends the sending side. It reports
// whether this call did it, and adds more to the state at any rate.
func (c *Conn) sendClose(code int, reason string, more uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Or(closeSent|more)&closeSent != 0 {
		return false
	}
	// Whatever Send says, Finish is right: the end of the stream must follow.
	_ = c.pc.Send(poll.Frame{Data: appendClose(nil, code, reason)})
	c.pc.Finish()
	// A paused connection would not see how the peer ends.
	c.pc.ResumeRead()
	return true
}

// peerCloses answers the peer's close frame.
func (c *Conn) peerCloses(code int) {
	c.peerCode = uint16(code)
	c.in = nil
	if c.sendClose(code, "", deaf) {
		return
	}
	// Both close frames are out: the server ends the connection first (RFC 6455
	// section 7.1.1), unless ours still waits in the queue.
	if c.pc.Buffered() == 0 {
		c.pc.Close(nil)
	}
}

// fail ends a connection that cannot go on: the peer is told, and what it sends
// from now on is read and thrown away, lest a reset overtakes the close frame.
func (c *Conn) fail(err error) {
	ce := asCloseError(err)
	c.in = &incoming{failed: ce}
	c.sendClose(ce.Code, ce.Reason, deaf)
}

// outcome is what Handler.Closed is told when the stream ended with err.
func (c *Conn) outcome(err error) (int, error) {
	switch {
	case c.peerCode != 0:
		return int(c.peerCode), nil
	case c.in != nil && c.in.failed != nil:
		return CloseAbnormal, c.in.failed
	}
	return CloseAbnormal, err
}
