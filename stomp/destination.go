package stomp

import (
	"strings"
	"unicode/utf8"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
)

// kind is what a destination stands for.
type kind uint8

const (
	topic kind = iota + 1 // a room
	app                   // the application
	queue                 // an event for one user
)

// destination is what a header of that name says.
type destination struct {
	kind kind
	name string // of the room, of the application's destination, of the event
	user string // queue: of another user; empty: one's own
}

const (
	topicPrefix = "/topic/"
	appPrefix   = "/app/"
	userPrefix  = "/user/"
	queuePrefix = "/user/queue/"
)

// parseDestination reads a destination.
func parseDestination(s string) (destination, error) {
	var d destination
	if name, ok := strings.CutPrefix(s, topicPrefix); ok {
		d = destination{kind: topic, name: name}
	} else if name, ok := strings.CutPrefix(s, appPrefix); ok {
		d = destination{kind: app, name: name}
	} else if name, ok := strings.CutPrefix(s, queuePrefix); ok {
		d = destination{kind: queue, name: name}
	} else if rest, ok := strings.CutPrefix(s, userPrefix); ok {
		user, name, _ := strings.Cut(rest, "/queue/")
		d = destination{kind: queue, name: name, user: user}
	}
	switch {
	case d.name == "":
		return d, invalid("destination must be /topic/NAME, /app/NAME, /user/queue/NAME or /user/USER/queue/NAME, not %q", s)
	case !utf8.ValidString(s):
		return d, invalid("destination %q is not UTF-8", s)
	case d.kind == topic && isID(d.name):
		return d, invalid("destination %q: a name of this form is the id of a client", s)
	case d.kind == topic && hub.Reserved(belfry.Room(d.name)):
		return d, invalid("destination %q is reserved", s)
	}
	return d, nil
}

// isID reports whether a name could be the id of a client: its room would show what
// is meant for that client alone.
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

// idLength is the length of a belfry.SocketID.
const idLength = 20

// Topic returns the room of a destination /topic/NAME.
func Topic(destination string) (room belfry.Room, ok bool) {
	d, err := parseDestination(destination)
	return belfry.Room(d.name), err == nil && d.kind == topic
}

// Own reports whether a destination is /user/queue/NAME: a client's own.
func Own(destination string) bool {
	d, err := parseDestination(destination)
	return err == nil && d.kind == queue && d.user == ""
}
