package httpapi

import (
	"fmt"
	"strconv"
	"strings"
)

// object is what a body, or a part of one, may be. From one table come the strict
// reading and the schema in the OpenAPI document, so that these cannot differ.
type object[T any] struct {
	name   string // of the schema
	doc    string
	fields []field[T]
	// check looks at the whole, once all fields are right. nil: there is nothing
	// to see.
	check func(r *reader, v *T)
}

type field[T any] struct {
	name, doc string
	schema    schema
	required  bool
	read      func(r *reader, raw []byte, into *T)
}

// read fills in into, or tells r what is wrong: of everything, not of the first.
func (o *object[T]) read(r *reader, raw []byte, into *T) {
	if raw[0] != '{' {
		r.fault("must be an object, and is %s", typeOf(raw))
		return
	}
	before := len(r.faults)
	var seen uint64 // bit i: fields[i]
	members(raw, func(key, value []byte) {
		i, name := o.find(key)
		r.enter(name)
		defer r.leave()
		switch {
		case i < 0:
			r.fault("is not known: the fields here are %s", o.names())
		case seen&(1<<i) != 0:
			r.fault("is there twice")
		default:
			seen |= 1 << i
			o.fields[i].read(r, value, into)
		}
	})
	for i := range o.fields {
		if f := &o.fields[i]; f.required && seen&(1<<i) == 0 {
			r.enter(f.name)
			r.fault("is missing")
			r.leave()
		}
	}
	if o.check != nil && len(r.faults) == before {
		o.check(r, into)
	}
}

// find returns the field of a key, -1 if there is none. A key that is written as the
// field is named costs no allocation.
func (o *object[T]) find(key []byte) (i int, name string) {
	for i := range o.fields {
		if name := o.fields[i].name; string(key[1:len(key)-1]) == name {
			return i, name
		}
	}
	name, _ = unquote(key)
	for i := range o.fields {
		if o.fields[i].name == name {
			return i, name
		}
	}
	return -1, name
}

func (o *object[T]) names() string {
	all := make([]string, len(o.fields))
	for i := range o.fields {
		all[i] = o.fields[i].name
	}
	return strings.Join(all, ", ")
}

// schema describes the object.
func (o *object[T]) schema() schema {
	properties, required := schema{}, []string{}
	for i := range o.fields {
		f := &o.fields[i]
		properties[f.name] = f.schema.with("description", f.doc)
		if f.required {
			required = append(required, f.name)
		}
	}
	return structure(properties, required...).with("description", o.doc)
}

func typeOf(raw []byte) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// reader collects the faults of a body.
type reader struct {
	path   []step
	first  [4]step // of path, as a rule
	faults []Fault
	more   int // faults beyond maxFaults
}

// step leads into an object, or, if there is no name, into an array.
type step struct {
	name    string
	index   int
	isIndex bool
}

// maxFaults bounds what one answer lists.
const maxFaults = 32

func newReader() *reader {
	r := &reader{}
	r.path = r.first[:0]
	return r
}

func (r *reader) enter(name string) { r.path = append(r.path, step{name: name}) }
func (r *reader) element(i int)     { r.path = append(r.path, step{index: i, isIndex: true}) }
func (r *reader) leave()            { r.path = r.path[:len(r.path)-1] }

// fault says what is wrong with the value that the path leads to.
func (r *reader) fault(format string, args ...any) {
	if len(r.faults) == maxFaults {
		r.more++
		return
	}
	r.faults = append(r.faults, Fault{Field: r.pointer(), Detail: fmt.Sprintf(format, args...)})
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1") // RFC 6901 section 3; never changed

// pointer is the JSON pointer to where the reader is.
func (r *reader) pointer() string {
	var b strings.Builder
	for _, s := range r.path {
		_ = b.WriteByte('/')
		if s.isIndex {
			_, _ = b.WriteString(strconv.Itoa(s.index))
		} else {
			_, _ = pointerEscapes.WriteString(&b, s.name)
		}
	}
	return b.String()
}
