package engineio

import (
	"crypto/rand"
	"encoding/base64"
	"sync/atomic"
)

// sessionID is 12 random bytes and the low 3 bytes of a counter: two sessions
// of one server never share an id, even if the random source were broken.
type sessionID [15]byte

// idLength is the length of the text form: base64url without padding.
const idLength = 20

type idSource struct{ counter atomic.Uint32 }

func (s *idSource) next() sessionID {
	var id sessionID
	_, _ = rand.Read(id[:12]) // never fails: crypto/rand ends the process instead
	n := s.counter.Add(1) - 1
	id[12], id[13], id[14] = byte(n>>16), byte(n>>8), byte(n)
	return id
}

func (id sessionID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// parseID reports false for what cannot be the id of any session.
func parseID(text string) (sessionID, bool) {
	var id sessionID
	if len(text) != idLength {
		return id, false
	}
	n, err := base64.RawURLEncoding.Decode(id[:], []byte(text))
	return id, err == nil && n == len(id)
}
