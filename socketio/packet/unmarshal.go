package packet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
)

// maxUnmarshalDepth is the limit of encoding/json.
const maxUnmarshalDepth = 10000

// Unmarshal decodes one argument into v, a pointer, as encoding/json does, and
// puts attachments where placeholders are:
//   - A slice of bytes takes its attachment, without copying: v and attachments
//     share memory then. It also takes a base64 string, as ever.
//   - An interface takes it as []byte.
//   - json.RawMessage keeps the placeholder.
//   - Anything else refuses it with an error.
//
// A type that has UnmarshalJSON sees the raw placeholder if it also has
// MarshalJSON and v has no place for bytes. Otherwise it sees a string, which
// means nothing but in a slice of bytes, an interface or a json.RawMessage in an
// exported field of the type.
//
// attachments are those of the packet that raw is from; without any, what looks
// like a placeholder is a plain object. After an error v is in no particular
// state.
func Unmarshal(raw json.RawMessage, attachments [][]byte, v any) error {
	if len(attachments) == 0 || !holdsBytes(reflect.TypeOf(v)) {
		return json.Unmarshal(raw, v)
	}
	if err := checkJSON(raw, maxUnmarshalDepth, 0); err != nil {
		return err
	}
	l := layout{p: raw}
	l.value(0)
	if len(l.spans) == 0 {
		return json.Unmarshal(raw, v)
	}
	if err := l.check(len(attachments), 0); err != nil {
		return err
	}
	if whole := l.spans[0]; whole.start == 0 && setBytes(v, attachments[whole.num]) {
		return nil
	}
	t := newTokens()
	if err := json.Unmarshal(t.substitute(raw, l.spans), v); err != nil {
		return err
	}
	r := restoration{tokens: t, attachments: attachments, seen: make(map[visit]bool)}
	r.walk(reflect.ValueOf(v))
	return r.err
}

// setBytes is the short way for an argument that is nothing but an attachment.
func setBytes(v any, b []byte) bool {
	switch v := v.(type) {
	case *[]byte:
		*v = b
	case *Binary:
		*v = b
	default:
		return false
	}
	return true
}

// substitute returns raw with tokens in place of its placeholders.
func (t *tokens) substitute(raw []byte, spans []span) []byte {
	out, from := make([]byte, 0, len(raw)), 0
	for _, s := range spans {
		out = append(append(out, raw[from:s.start]...), '"')
		out = append(t.appendText(out, s.num), '"')
		from = s.end
	}
	return append(out, raw[from:]...)
}

// restoration puts attachments where tokens are in a decoded value.
type restoration struct {
	tokens      *tokens
	attachments [][]byte
	seen        map[visit]bool
	err         error
}

// visit is a place that a walk came through. What was in v before decoding may
// have cycles.
type visit struct {
	p uintptr
	n int
	t reflect.Type
}

// first reports whether the walk has not been at the pointer, map or slice yet.
func (r *restoration) first(v reflect.Value) bool {
	at := visit{p: v.Pointer(), t: v.Type()}
	if v.Kind() == reflect.Slice {
		at.n = v.Len()
	}
	if r.seen[at] {
		return false
	}
	r.seen[at] = true
	return true
}

// walk goes through v, which can be set unless it is a pointer or a map, and
// reports whether something changed.
func (r *restoration) walk(v reflect.Value) (changed bool) {
	switch v.Kind() {
	case reflect.Pointer:
		return !v.IsNil() && r.first(v) && r.walk(v.Elem())
	case reflect.Interface:
		return r.walkInterface(v)
	case reflect.String:
		if r.tokens.ofText([]byte(v.String())) >= 0 {
			r.err = fmt.Errorf("cannot unmarshal an attachment into a %v", v.Type())
		}
	case reflect.Map:
		return !v.IsNil() && r.first(v) && r.walkMap(v)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return r.restore(v)
		}
		return !v.IsNil() && r.first(v) && r.walkIndexes(v)
	case reflect.Array:
		return r.walkIndexes(v)
	case reflect.Struct:
		return r.walkFields(v)
	}
	return false
}

func (r *restoration) walkInterface(v reflect.Value) bool {
	e := v.Elem()
	switch e.Kind() {
	case reflect.String:
		if i := r.tokens.ofText([]byte(e.String())); i >= 0 {
			v.Set(reflect.ValueOf(r.attachments[i]))
			return true
		}
	case reflect.Pointer, reflect.Map, reflect.Slice:
		return r.walk(e)
	}
	return false
}

func (r *restoration) walkMap(v reflect.Value) (changed bool) {
	for it := v.MapRange(); it.Next(); {
		elem := reflect.New(v.Type().Elem()).Elem()
		elem.Set(it.Value())
		if r.walk(elem) {
			v.SetMapIndex(it.Key(), elem)
			changed = true
		}
	}
	return changed
}

func (r *restoration) walkIndexes(v reflect.Value) (changed bool) {
	for i := range v.Len() {
		changed = r.walk(v.Index(i)) || changed
	}
	return changed
}

func (r *restoration) walkFields(v reflect.Value) (changed bool) {
	for i := range v.NumField() {
		if visible(v.Type().Field(i)) {
			changed = r.walk(v.Field(i)) || changed
		}
	}
	return changed
}

// restore replaces a slice of bytes that is a token, and puts placeholders back
// into raw JSON.
func (r *restoration) restore(v reflect.Value) bool {
	if !v.CanSet() {
		return false
	}
	if i := r.tokens.ofBytes(v.Bytes()); i >= 0 {
		v.SetBytes(r.attachments[i])
		return true
	}
	if v.Type() == reflect.TypeFor[json.RawMessage]() && bytes.Contains(v.Bytes(), r.tokens.prefix[:]) {
		v.SetBytes(r.tokens.appendReplaced(nil, v.Bytes(), appendPlaceholder))
		return true
	}
	return false
}
