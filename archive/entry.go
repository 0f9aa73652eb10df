package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed-09a96375/belfry"
)

// Entry is one message of a room, as it is kept.
type Entry struct {
	// ID names the message, cluster-wide and for ever. At most MaxID bytes.
	ID        string
	Namespace string // "/" or "/name"
	Room      belfry.Room
	Event     string
	// Args are the arguments, without the name: a JSON array. It is kept byte for
	// byte.
	Args json.RawMessage
	// Text is what people read of the message, if somebody has said where it is.
	Text   string
	User   string          // who sent it; empty: not named
	Socket belfry.SocketID // that sent it; empty: none
	Key    string          // what ordered it on its way; empty: nothing
	// Time is when the message was accepted, the same each time that it is
	// delivered. Stores keep microseconds.
	Time time.Time
	// Offset is the position in the log of the bus. Empty: not known.
	Offset belfry.Offset
}

// MaxID is the longest ID of an Entry, bytes.
const MaxID = 512

// earliest is before any message: what is older has a wrong clock or unit.
var earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Validate says why e can not be kept, all that is wrong.
func (e *Entry) Validate() error { return e.validate(true) }

// validate leaves out what is known of the arguments if they come out of a decoder.
func (e *Entry) validate(args bool) error {
	var errs []error
	bad := func(field, rule string) { errs = append(errs, fmt.Errorf("%s %s", field, rule)) }
	switch {
	case e.ID == "":
		bad("id", "is missing")
	case len(e.ID) > MaxID:
		bad("id", fmt.Sprintf("has %d bytes: at most %d are kept", len(e.ID), MaxID))
	}
	if !strings.HasPrefix(e.Namespace, "/") {
		bad("namespace", "must begin with a slash")
	}
	if e.Room == "" {
		bad("room", "is missing")
	}
	if e.Event == "" {
		bad("event", "is missing")
	}
	if len(e.Args) == 0 || e.Args[0] != '[' || args && !isJSON(e.Args) {
		bad("args", "must be a JSON array")
	}
	if e.Time.Before(earliest) {
		bad("time", "is missing, or before the year 2000")
	} else if !e.Time.Before(latest) {
		bad("time", "is after the year 9998")
	}
	for _, f := range e.texts() {
		if !utf8.ValidString(f.text) {
			bad(f.name, "is not UTF-8")
		} else if strings.IndexByte(f.text, 0) >= 0 {
			bad(f.name, "holds a NUL character")
		}
	}
	return errors.Join(errs...)
}

type field struct{ name, text string }

func (e *Entry) texts() [9]field {
	return [...]field{
		{"id", e.ID},
		{"namespace", e.Namespace},
		{"room", string(e.Room)},
		{"event", e.Event},
		{"text", e.Text},
		{"user", e.User},
		{"socket", string(e.Socket)},
		{"key", e.Key},
		{"offset", string(e.Offset)},
	}
}

func isJSON(b []byte) bool { return utf8.Valid(b) && json.Valid(b) }

// Size is about what e takes, bytes.
func (e *Entry) Size() int {
	const fixed = 64
	n := fixed + len(e.Args)
	for _, f := range e.texts() {
		n += len(f.text)
	}
	return n
}

// Position is where e is in the order of a room.
func (e *Entry) Position() Position { return Position{Time: e.Time, ID: e.ID} }

// Since returns the entries that are not older than cut: entries itself, if all are
// not. Zero: all.
func Since(cut time.Time, entries []Entry) []Entry {
	isOld := func(e Entry) bool { return e.Time.Before(cut) }
	if !slices.ContainsFunc(entries, isOld) {
		return entries
	}
	return slices.DeleteFunc(slices.Clone(entries), isOld)
}
