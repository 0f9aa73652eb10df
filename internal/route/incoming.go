package route

import (
	"encoding/json"
	"fmt"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
)

// Incoming is an event of a client, from any front.
type Incoming struct {
	Namespace string
	Event     string
	// Args are the arguments without the name: a JSON array, valid and in UTF-8.
	// Binary ones are placeholders, as in belfry.Message. Empty: there are none.
	Args        json.RawMessage
	Attachments [][]byte
	Socket      belfry.SocketID
	User        string // empty: none
	// ID is what the client tells repetitions by. Empty: it does not.
	ID string
	// Ack says that the client waits for an answer.
	Ack bool
	// May says whether the client may do something in a room. nil: nothing.
	May func(a auth.Action, room belfry.Room) error
}

var noArgs = json.RawMessage("[]") // never changed

func (in *Incoming) check() error {
	switch {
	case len(in.Event) > maxName || in.Event == "":
		return invalid("the event's name must have 1 to %d bytes", maxName)
	case len(in.ID) > maxID:
		return invalid("the id has %d bytes: at most %d are allowed", len(in.ID), maxID)
	case len(in.Args) > 0 && !isArray(in.Args):
		return invalid("the arguments are not an array")
	}
	return nil
}

// isArray looks at the first byte that counts: what comes here is valid JSON.
func isArray(value []byte) bool {
	i := space(value, 0)
	return i < len(value) && value[i] == '['
}

func invalid(format string, args ...any) error {
	return &Error{Code: Invalid, Message: fmt.Sprintf(format, args...)}
}

// lookup implements scope.
func (in *Incoming) lookup(root string, path []step) (datum, bool) {
	text := ""
	switch root {
	case "args":
		args := in.Args
		if len(args) == 0 {
			args = noArgs
		}
		found := find(args, path)
		return datum{json: found}, found != nil
	case "user":
		text = in.User
	case "socket":
		text = string(in.Socket)
	case "event":
		text = in.Event
	case "namespace":
		text = in.Namespace
	case "id":
		text = in.ID
	}
	return datum{text: text}, text != ""
}
