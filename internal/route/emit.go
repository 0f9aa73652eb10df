package route

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// maxTargets bounds the rooms and users that one event goes to.
const maxTargets = 100

// targets returns the rooms that it goes to, those of users too. f is asked about
// each room of the application.
func (e *emit) targets(s scope, f func(belfry.Room) error) ([]belfry.Room, error) {
	if len(e.rooms)+len(e.users) == 0 {
		return nil, nil
	}
	names, err := texts(e.rooms, s)
	if err != nil {
		return nil, err
	}
	rooms := make([]belfry.Room, 0, len(names)+len(e.users))
	for _, name := range names {
		if err := roomFault(name); err != nil {
			return nil, err
		}
		if err := f(belfry.Room(name)); err != nil {
			return nil, err
		}
		rooms = append(rooms, belfry.Room(name))
	}
	users, err := texts(e.users, s)
	if err != nil {
		return nil, err
	}
	for _, user := range users {
		if user == "" || len(user) > hub.MaxUser {
			return nil, invalid("the user must have 1 to %d bytes", hub.MaxUser)
		}
		rooms = append(rooms, hub.UserRoom(user))
	}
	if len(rooms) > maxTargets || len(rooms) == 0 {
		return nil, invalid("it goes to %d rooms and users: must be 1 to %d", len(rooms), maxTargets)
	}
	return rooms, nil
}

func texts(all []*template, s scope) (names []string, err error) {
	for _, t := range all {
		if names, err = t.appendStrings(names, s); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// name returns the event's name, standard if none is configured.
func (e *emit) name(s scope, standard string) (string, error) {
	if e.as == nil {
		return standard, nil
	}
	name, err := e.as.string(s)
	switch {
	case err != nil:
		return "", err
	case name == "" || len(name) > maxName:
		return "", invalid("the event's name must have 1 to %d bytes", maxName)
	case packet.Reserved(name):
		return "", invalid("the event's name %q is reserved", name)
	}
	return name, nil
}

// arguments returns a JSON array; given is what came.
func (e *emit) arguments(s scope, given json.RawMessage) (json.RawMessage, error) {
	if e.through {
		if len(given) == 0 {
			return noArgs, nil
		}
		return given, nil
	}
	b := []byte{'['}
	var err error
	for i, t := range e.args {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = t.appendJSON(b, s); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

// data is the event as the bus has it: the arguments with the name in front.
func data(name string, args json.RawMessage) []byte {
	rest := bytes.TrimSpace(args)[1:] // behind the bracket
	rest = rest[space(rest, 0):]
	b := make([]byte, 0, len(name)+len(rest)+8)
	b = packet.AppendString(append(b, '['), name)
	if rest[0] != ']' {
		b = append(b, ',')
	}
	return append(b, rest...)
}

// usedAttachments returns the attachments that args need. Placeholders are of one
// event: if not all are left they are put into the JSON.
func usedAttachments(e *emit, args json.RawMessage, attachments [][]byte) (json.RawMessage, [][]byte) {
	if e.through {
		return args, slices.Clip(attachments)
	}
	return packet.Inline(args, attachments), nil
}
