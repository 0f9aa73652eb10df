package meet

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seed-09a96375/belfry"
)

const (
	maxRoom = 64 // characters of a room's name
	maxUser = 64 // characters of a user's id
)

// roomName is a name that reads the same in an address; page/start.js has it, too.
var roomName = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]*$`)

func cleanRoom(id string) (belfry.Room, error) {
	switch n := utf8.RuneCountInString(id); {
	case n > maxRoom:
		return "", refusef("the room's name has %d characters: at most %d are allowed", n, maxRoom)
	case !roomName.MatchString(id):
		return "", refusef("%q is no room: letters, digits, dots, dashes and underscores are allowed, a letter or digit first", id)
	}
	return belfry.Room(prefix + id), nil
}

func cleanUser(id string) (string, error) {
	id = strings.TrimSpace(id)
	switch n := utf8.RuneCountInString(id); {
	case n == 0:
		return "", refusef("the user is empty")
	case n > maxUser:
		return "", refusef("the user has %d characters: at most %d are allowed", n, maxUser)
	case !utf8.ValidString(id), strings.ContainsFunc(id, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "", refusef("the user %q has characters that cannot be shown", id)
	}
	return id, nil
}
