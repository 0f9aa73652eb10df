package socketio

import "github.com/seed-09a96375/belfry/engineio"

// Reason tells why a socket was disconnected; the texts are Socket.IO's.
type Reason = engineio.Reason

const (
	ReasonClientDisconnect Reason = "client namespace disconnect"
	ReasonServerDisconnect Reason = "server namespace disconnect"
)

// recoverable reports whether a client that was disconnected so may resume: it
// lost its connection rather than left.
func recoverable(r Reason) bool {
	switch r {
	case engineio.ReasonTransportClose, engineio.ReasonTransportError, engineio.ReasonPingTimeout,
		engineio.ReasonForcedClose, engineio.ReasonServerShutdown:
		return true
	}
	return false
}
