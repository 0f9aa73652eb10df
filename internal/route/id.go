package route

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/seed-09a96375/belfry"
)

// eventID is the id of an event whose client gave one. It is the client's own: of
// its user, its namespace and its event's name. Without that, a client could use up
// the ids of others, or read the answers to them, and two events of one form with
// one id would be one.
//
//	ada:order.new:17            namespace /
//	ada:/shop:order.new:17
//
// Clients without a user share the empty one: their ids must be hard to guess.
func eventID(in *Incoming, id string) string {
	size := len(in.User) + len(in.Namespace) + len(in.Event) + len(id) + 3
	b := make([]byte, 0, size)
	b = append(appendEscaped(b, in.User), ':')
	if in.Namespace != "/" {
		b = append(appendEscaped(b, in.Namespace), ':')
	}
	b = append(appendEscaped(b, in.Event), ':')
	b = appendEscaped(b, id)
	return shorten(string(b))
}

// appendEscaped keeps colons for the places between the parts.
func appendEscaped(b []byte, part string) []byte {
	if strings.IndexByte(part, ':') < 0 && strings.IndexByte(part, '%') < 0 {
		return append(b, part...)
	}
	return append(b, strings.NewReplacer("%", "%25", ":", "%3A").Replace(part)...)
}

// maxID leaves room for what publishID appends.
const maxID = belfry.MaxID - 4

// shorten replaces what is too long by its hash.
func shorten(id string) string {
	if len(id) <= maxID {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "sha256:" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// publishID is the id with which an event is sent to rooms. It differs from the
// event's own, with which a backend may publish what comes of it.
func publishID(id string, route int) string { return shorten(id) + ">" + strconv.Itoa(route%1000) }

// randomID is for events whose client gave none: unlike any other.
func randomID() string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}
