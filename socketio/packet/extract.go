package packet

import (
	"fmt"
	"reflect"
)

// maxGoDepth bounds walks over Go values: deeper is taken for a cycle. It is
// where encoding/json, too, begins to look for one.
const maxGoDepth = 1000

// extraction takes slices of bytes out of Go values.
type extraction struct {
	tokens *tokens // nil until something was found
	found  [][]byte
	err    error
}

// replace returns v with tokens in place of its slices of bytes. What has to
// change is copied, the caller's value stays as it is. changed is false if there
// was nothing to replace.
func (x *extraction) replace(v reflect.Value, depth int) (_ reflect.Value, changed bool) {
	if depth > maxGoDepth {
		x.err = ErrDepth
	}
	if x.err != nil || !v.IsValid() || !holdsBytes(v.Type()) {
		return v, false
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		return x.replaceTarget(v, depth)
	case reflect.Struct:
		c := copyOnWrite{from: v}
		x.replaceFields(v, c.value, depth)
		return c.result()
	case reflect.Map:
		return x.replaceMap(v, depth)
	case reflect.Array:
		return x.replaceIndexes(v, depth)
	case reflect.Slice:
		if isBytes(v.Type()) {
			return x.take(v)
		}
		return x.replaceIndexes(v, depth)
	}
	return v, false
}

// take replaces one slice of bytes.
func (x *extraction) take(v reflect.Value) (reflect.Value, bool) {
	if v.IsNil() {
		return v, false
	}
	if len(x.found) == maxTokens {
		x.err = ErrAttachments
		return v, false
	}
	if x.tokens == nil {
		x.tokens = newTokens()
	}
	token := reflect.MakeSlice(v.Type(), tokenBytes, tokenBytes)
	copy(token.Bytes(), x.tokens.bytes(len(x.found)))
	x.found = append(x.found, v.Bytes())
	return token, true
}

// replaceTarget works on what a pointer or interface leads to.
func (x *extraction) replaceTarget(v reflect.Value, depth int) (reflect.Value, bool) {
	elem, changed := x.replace(v.Elem(), depth+1)
	if !changed {
		return v, false
	}
	if v.Kind() == reflect.Pointer {
		p := reflect.New(elem.Type())
		p.Elem().Set(elem)
		elem = p
	}
	out := reflect.New(v.Type()).Elem()
	out.Set(elem)
	return out, true
}

func (x *extraction) replaceMap(v reflect.Value, depth int) (reflect.Value, bool) {
	c := copyOnWrite{from: v}
	for it := v.MapRange(); it.Next(); {
		if elem, changed := x.replace(it.Value(), depth+1); changed {
			c.value().SetMapIndex(it.Key(), elem)
		}
	}
	return c.result()
}

func (x *extraction) replaceIndexes(v reflect.Value, depth int) (reflect.Value, bool) {
	c := copyOnWrite{from: v}
	for i := range v.Len() {
		if elem, changed := x.replace(v.Index(i), depth+1); changed {
			c.value().Index(i).Set(elem)
		}
	}
	return c.result()
}

// replaceFields works on the struct v; out returns the copy to write to.
func (x *extraction) replaceFields(v reflect.Value, out func() reflect.Value, depth int) {
	for _, f := range byteFields(v.Type()) {
		field := v.Field(f.index)
		switch {
		case f.omitEmpty && isBytes(field.Type()) && field.Len() == 0:
		case f.exported:
			if elem, changed := x.replace(field, depth+1); changed {
				out().Field(f.index).Set(elem)
			}
		case field.Kind() == reflect.Struct:
			// Embedded and not exported: it cannot be set, its fields can.
			x.replaceFields(field, func() reflect.Value { return out().Field(f.index) }, depth+1)
		case !field.IsNil():
			x.err = fmt.Errorf("%v embeds a pointer to a struct that is not exported, which may hold binary data", v.Type())
		}
	}
}

// appendReplaced appends text, the JSON of a replaced value, to dst, and what
// was found to attachments, both in the order of the text: encoding/json decides
// the order of fields and keys.
func (x *extraction) appendReplaced(dst []byte, attachments [][]byte, text []byte) ([]byte, [][]byte) {
	if x.tokens == nil {
		return append(dst, text...), attachments
	}
	dst = x.tokens.appendReplaced(dst, text, func(dst []byte, i int) []byte {
		attachments = append(attachments, x.found[i])
		return appendPlaceholder(dst, len(attachments)-1)
	})
	return dst, attachments
}

// copyOnWrite is a shallow copy of a value, made when it is first written to.
type copyOnWrite struct{ from, to reflect.Value }

func (c *copyOnWrite) value() reflect.Value {
	if c.to.IsValid() {
		return c.to
	}
	switch t := c.from.Type(); t.Kind() {
	case reflect.Map:
		c.to = reflect.MakeMapWithSize(t, c.from.Len())
		for it := c.from.MapRange(); it.Next(); {
			c.to.SetMapIndex(it.Key(), it.Value())
		}
	case reflect.Slice:
		c.to = reflect.MakeSlice(t, c.from.Len(), c.from.Len())
		reflect.Copy(c.to, c.from)
	default:
		c.to = reflect.New(t).Elem()
		c.to.Set(c.from)
	}
	return c.to
}

func (c *copyOnWrite) result() (_ reflect.Value, changed bool) {
	if c.to.IsValid() {
		return c.to, true
	}
	return c.from, false
}
