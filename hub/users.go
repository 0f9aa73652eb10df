package hub

import (
	"strings"

	"github.com/seed-09a96375/belfry"
)

// A user is a room that its members are in, whatever front they came by, so that
// all that works for rooms works for users. The name cannot be that of a room of
// the application: those that begin with reservedPrefix are Belfry's own.
const (
	reservedPrefix = "\x00"

	// UserPrefix is what the rooms of users begin with.
	UserPrefix = reservedPrefix + "user:"
)

// MaxUser is the longest name of a user, in bytes.
const MaxUser = 256

// UserRoom is the room of a user.
func UserRoom(user string) belfry.Room { return belfry.Room(UserPrefix + user) }

// Reserved reports whether a room is Belfry's own: applications and clients may
// neither join it nor see it.
func Reserved(room belfry.Room) bool { return strings.HasPrefix(string(room), reservedPrefix) }
