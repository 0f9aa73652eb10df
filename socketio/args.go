package socketio

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/seed-09a96375/belfry/socketio/packet"
)

// Args are the arguments of an event or an ack, as they came.
type Args struct {
	raw         []json.RawMessage
	attachments [][]byte
}

// Auth is what a client sent with CONNECT: a JSON object, nil if none.
type Auth = json.RawMessage

// newArgs splits an array; anything else has no arguments.
func newArgs(array []byte, attachments [][]byte) Args {
	array = bytes.TrimLeft(array, " \t\r\n")
	if len(array) == 0 || array[0] != '[' {
		return Args{}
	}
	return Args{raw: packet.Split(nil, array), attachments: attachments}
}

// eventArgs are the arguments of an event: the array without the name.
func eventArgs(array []byte, attachments [][]byte) Args {
	a := newArgs(array, attachments)
	if len(a.raw) > 0 {
		a.raw = a.raw[1:]
	}
	return a
}

// Len is the number of arguments.
func (a Args) Len() int { return len(a.raw) }

// Raw returns argument i as JSON, nil if there is none. Binary values in it are
// placeholders.
func (a Args) Raw(i int) json.RawMessage {
	if i < 0 || i >= len(a.raw) {
		return nil
	}
	return a.raw[i]
}

// Decode decodes the arguments into vs, in order; missing ones leave theirs
// alone.
func (a Args) Decode(vs ...any) error {
	for i, v := range vs {
		raw := a.Raw(i)
		if raw == nil {
			return nil
		}
		if err := packet.Unmarshal(raw, a.attachments, v); err != nil {
			return fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	return nil
}

// values are the arguments to pass on as they came.
func (a Args) values() []any { return []any{a} }
