package httpapi

import (
	"strings"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// must makes a field one that has to be there.
func must[T any](f field[T]) field[T] {
	f.required = true
	return f
}

// text is a field that holds a text of 1 to limit bytes; rule, if not nil, says what
// is wrong with one.
func text[T any](name, doc string, limit int, to func(*T) *string, rule func(string) string) field[T] {
	return field[T]{name: name, doc: doc, schema: textSchema(limit), read: func(r *reader, raw []byte, into *T) {
		*to(into) = readText(r, raw, limit, rule)
	}}
}

func readText(r *reader, raw []byte, limit int, rule func(string) string) string {
	if raw[0] != '"' {
		r.fault("must be a string, and is %s", typeOf(raw))
		return ""
	}
	s, ok := unquote(raw)
	switch {
	case !ok:
		r.fault("is not Unicode: half of a surrogate pair is missing")
	case s == "":
		r.fault("is empty")
	case len(s) > limit:
		r.fault("has %d bytes: at most %d are allowed", len(s), limit)
	case rule != nil:
		if wrong := rule(s); wrong != "" {
			r.fault("%s", wrong)
		}
	}
	return s
}

// texts is a field that holds up to most texts.
func texts[T any](name, doc string, limit, most int, add func(*T, string), rule func(string) string) field[T] {
	return field[T]{name: name, doc: doc, schema: list(textSchema(limit)).with("maxItems", most), read: func(r *reader, raw []byte, into *T) {
		n := readElements(r, raw, func(raw []byte) { add(into, readText(r, raw, limit, rule)) })
		if n > most {
			r.fault("has %d elements: at most %d are allowed", n, most)
		}
	}}
}

// readElements calls f for each element of an array, and returns their number.
func readElements(r *reader, raw []byte, f func(raw []byte)) (n int) {
	if raw[0] != '[' {
		r.fault("must be an array, and is %s", typeOf(raw))
		return 0
	}
	for e := range packet.Elements(raw) {
		r.element(n)
		f(e)
		r.leave()
		n++
	}
	return n
}

// yes is a field that holds true or false.
func yes[T any](name, doc string, to func(*T) *bool) field[T] {
	return field[T]{name: name, doc: doc, schema: schema{"type": "boolean"}, read: func(r *reader, raw []byte, into *T) {
		if raw[0] != 't' && raw[0] != 'f' {
			r.fault("must be true or false, and is %s", typeOf(raw))
			return
		}
		*to(into) = raw[0] == 't'
	}}
}

// values is a field that holds an array of any JSON, which is kept as it is.
func values[T any](name, doc string, to func(*T) *[]byte) field[T] {
	return field[T]{name: name, doc: doc, schema: list(schema{}), read: func(r *reader, raw []byte, into *T) {
		if raw[0] != '[' {
			r.fault("must be an array, and is %s", typeOf(raw))
			return
		}
		*to(into) = raw
	}}
}

// Bounds of names, bytes, and of lists.
const (
	maxRoom      = 512
	maxEvent     = 256
	maxNamespace = 256
	maxError     = 1024
	maxRooms     = 1000
	maxTargets   = 1000
)

func roomRule(name string) string {
	if hub.Reserved(belfry.Room(name)) {
		return "is a room of Belfry's own: names may not begin with NUL"
	}
	return ""
}

func eventRule(name string) string {
	if packet.Reserved(name) {
		return "is a name with a meaning of its own in Socket.IO clients: use another"
	}
	return ""
}

// namespaceRule refuses namespaces that are not there.
func namespaceRule(known []string) func(string) string {
	return func(name string) string {
		for _, n := range known {
			if n == name {
				return ""
			}
		}
		return "is not there: the namespaces are " + strings.Join(known, ", ")
	}
}
