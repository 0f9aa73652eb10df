package access

import (
	"strings"
	"unicode/utf8"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
)

const (
	maxRoom  = 200 // bytes of a room's name
	idLength = 20  // of a belfry.SocketID
)

// checkRoom says why no client may name such a room. A NUL begins names that are
// Belfry's own. The room of another client's id would show what is meant for that
// client alone: it can be sent to, not joined.
func checkRoom(c Client, a auth.Action, room belfry.Room) error {
	switch {
	case room == "":
		return wrong("the room has no name")
	case len(room) > maxRoom:
		return wrong("the room's name is longer than 200 bytes")
	case strings.HasPrefix(string(room), "\x00"):
		return wrong("the room's name begins with NUL")
	case !utf8.ValidString(string(room)):
		return wrong("the room's name is not UTF-8")
	case a != auth.Publish && isID(string(room)) && room != belfry.Room(c.ID()):
		return forbidden("not allowed: %s %q: a name of this form is the id of a client", a, room)
	}
	return nil
}

// BadRoom is the code of an error that says so of a room's name.
const BadRoom auth.Code = "bad_room"

func wrong(message string) error { return &auth.Error{Code: BadRoom, Message: message} }

// isID reports whether a name could be the id of a client.
func isID(name string) bool {
	if len(name) != idLength {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
