package engineio

import (
	"crypto/rand"
	"encoding/base64"
)

// Tag is the part of a session id that says which server made it: the first 4
// of its 20 characters. It is no secret.
type Tag [3]byte

// TagOf returns the tag of a session id. It reports false for a text that no
// server makes as an id.
func TagOf(sid string) (Tag, bool) {
	id, ok := parseID(sid)
	return Tag(id[:tagLength]), ok
}

// sessionID is the server's tag and 12 random bytes.
type sessionID [15]byte

const (
	tagLength = len(Tag{})
	// idLength is the length of the text form: base64url without padding.
	idLength = 20
)

func (t Tag) newID() sessionID {
	var id sessionID
	copy(id[:], t[:])
	_, _ = rand.Read(id[tagLength:]) // never fails: crypto/rand ends the process instead
	return id
}

func randomTag() (t Tag) {
	_, _ = rand.Read(t[:]) // as above
	return t
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
