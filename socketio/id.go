package socketio

import (
	"crypto/rand"
	"encoding/base64"
)

// randomID returns 20 characters: 15 random bytes in base64url. Node's servers
// take a room of that length for the id of a socket.
func randomID() string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	var s [20]byte
	base64.RawURLEncoding.Encode(s[:], b[:])
	return string(s[:])
}
