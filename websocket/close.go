package websocket

import "fmt"

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

// CloseError is an error that ends a connection with a close frame.
type CloseError struct {
	Code   int    // on the wire; see Conn.Close
	Reason string // on the wire; may be empty
	Err    error  // why; stays here; may be nil
}

func (e *CloseError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("websocket closed with %d %s", e.Code, e.Reason)
	}
	return fmt.Sprintf("websocket closed with %d: %v", e.Code, e.Err)
}

func (e *CloseError) Unwrap() error { return e.Err }
