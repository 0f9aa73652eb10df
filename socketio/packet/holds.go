package packet

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// byteTypes remembers what was found out about types: they do not change, and
// there are as many as the program has. reflect.Type to typeInfo.
var byteTypes sync.Map

// typeInfo says where slices of bytes can be in the values of a type.
type typeInfo struct {
	holds  bool
	fields []byteField // of a struct
}

// byteField is a field of a struct that can hold a slice of bytes and that
// encoding/json looks at.
type byteField struct {
	index     int
	exported  bool
	omitEmpty bool
}

// holdsBytes reports whether a value of type t can have a slice of bytes in it
// that encoding/json would write as base64. Interfaces can.
func holdsBytes(t reflect.Type) bool { return t != nil && infoOf(t).holds }

// byteFields returns the fields of struct type t that hold bytes.
func byteFields(t reflect.Type) []byteField { return infoOf(t).fields }

func infoOf(t reflect.Type) typeInfo {
	if info, ok := byteTypes.Load(t); ok {
		return info.(typeInfo)
	}
	info := typeInfo{holds: searchBytes(t, make(map[reflect.Type]bool))}
	if info.holds && t.Kind() == reflect.Struct {
		info.fields = searchFields(t)
	}
	byteTypes.Store(t, info)
	return info
}

// searchBytes goes through the types that t is made of. Types in seen are being
// searched already, or were, without success so far.
func searchBytes(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] || encodesItself(t) {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Slice:
		return isBytes(t) || searchBytes(t.Elem(), seen)
	case reflect.Pointer, reflect.Array, reflect.Map:
		return searchBytes(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); visible(f) && searchBytes(f.Type, seen) {
				return true
			}
		}
	}
	return false
}

func searchFields(t reflect.Type) (fields []byteField) {
	for i := range t.NumField() {
		f := t.Field(i)
		if !visible(f) || !searchBytes(f.Type, make(map[reflect.Type]bool)) {
			continue
		}
		_, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields = append(fields, byteField{i, f.IsExported(), strings.Contains(","+options+",", ",omitempty,")})
	}
	return fields
}

// visible reports whether encoding/json looks at field f, or through it if it is
// an embedded struct.
func visible(f reflect.StructField) bool {
	if f.Tag.Get("json") == "-" {
		return false
	}
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return f.IsExported() || f.Anonymous && t.Kind() == reflect.Struct
}

// isBytes reports whether t is a slice that encoding/json writes as base64.
func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 &&
		!encodesItself(t) && !encodesItself(t.Elem())
}

func encodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.Marshaler]()) || p.Implements(reflect.TypeFor[encoding.TextMarshaler]()) ||
		t.Implements(reflect.TypeFor[json.Marshaler]()) || t.Implements(reflect.TypeFor[encoding.TextMarshaler]())
}
