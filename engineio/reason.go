package engineio

// Reason says why a session ended. The texts are those of the reference
// implementation; layers above pass them on to applications, which compare them.
type Reason string

const (
	ReasonTransportClose Reason = "transport close" // the client ended the session or the connection broke
	ReasonTransportError Reason = "transport error" // the client broke the transport's rules, or reads too slowly
	ReasonPingTimeout    Reason = "ping timeout"    // no sign of life in time
	ReasonParseError     Reason = "parse error"     // a packet that cannot be decoded
	ReasonForcedClose    Reason = "forced close"    // Session.Close, or Receiver.Message refused a message
	ReasonServerShutdown Reason = "server shutting down"
)
