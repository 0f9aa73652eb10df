package route

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/seed-09a96375/belfry/socketio/packet"
)

// A template is text with fields in braces. Each field is a root, a path into
// JSON, and if wanted a prefix that is taken off and a default:
//
//	chat:{args.0.room}          object keys and array indexes, with dots between
//	{payload.topic#/topic/}     without the prefix /topic/, where the value has it
//	{args.0.id|none}            "none" where there is no such value, or it is null
//	{args.0.a\.b}               a backslash takes the meaning of . # | } \ away
//	{{ and }}                   one brace each
//
// Evaluation is total: it ends with a text or JSON, or with an error that names
// the field. Nothing else is read, and nothing is called.
type template struct {
	text  string // as it was written
	parts []part
}

// part is text, or a field.
type part struct {
	literal string
	field   *field
}

type field struct {
	text     string // as it was written, with braces
	root     string
	path     []step
	prefix   string
	fallback *string
}

// maxTemplate bounds a template, bytes.
const maxTemplate = 4096

// parseTemplate compiles a template whose fields begin with one of roots. The
// error names the column, in characters from 1.
func parseTemplate(text string, roots []string) (*template, error) {
	if len(text) > maxTemplate {
		return nil, fmt.Errorf("has %d bytes: at most %d are allowed", len(text), maxTemplate)
	}
	if !utf8.ValidString(text) {
		return nil, fmt.Errorf("%q is not UTF-8", text)
	}
	p := parser{text: text, roots: roots}
	if err := p.parse(); err != nil {
		return nil, fmt.Errorf("%q: column %d: %w", text, utf8.RuneCountInString(text[:p.at])+1, err)
	}
	return &template{text, p.parts}, nil
}

// single returns the field that the whole template is, nil if there is more.
func (t *template) single() *field {
	if len(t.parts) == 1 {
		return t.parts[0].field
	}
	return nil
}

// scope is what fields are looked up in.
type scope interface {
	// lookup returns the value of a root. ok is false if there is none.
	lookup(root string, path []step) (datum, bool)
}

// datum is a value: JSON, or a text without quotes.
type datum struct {
	json []byte // nil: it is the text
	text string
}

// string returns the template's text.
func (t *template) string(s scope) (string, error) {
	if len(t.parts) == 1 && t.parts[0].field == nil {
		return t.parts[0].literal, nil
	}
	if f := t.single(); f != nil {
		return f.string(s)
	}
	var b strings.Builder
	for _, p := range t.parts {
		if p.field == nil {
			b.WriteString(p.literal)
			continue
		}
		text, err := p.field.string(s)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// appendJSON appends the template's value: one of any type if it is a single
// field, else a string.
func (t *template) appendJSON(dst []byte, s scope) ([]byte, error) {
	if f := t.single(); f != nil {
		d, err := f.value(s)
		if err != nil {
			return dst, err
		}
		if d.json != nil {
			return append(dst, d.json...), nil
		}
		return packet.AppendString(dst, d.text), nil
	}
	text, err := t.string(s)
	return packet.AppendString(dst, text), err
}

// appendStrings appends the template's text, or the texts of the array that it
// stands for as a single field.
func (t *template) appendStrings(dst []string, s scope) ([]string, error) {
	if f := t.single(); f != nil {
		d, err := f.value(s)
		if err != nil {
			return dst, err
		}
		if len(d.json) > 0 && d.json[0] == '[' {
			return f.elements(dst, d.json)
		}
	}
	text, err := t.string(s)
	return append(dst, text), err
}

func (f *field) elements(dst []string, array []byte) ([]string, error) {
	for e := range packet.Elements(array) {
		text, err := f.plain(datum{json: e})
		if err != nil {
			return dst, err
		}
		dst = append(dst, text)
	}
	return dst, nil
}

// value returns the field's value, with prefix and default applied.
func (f *field) value(s scope) (datum, error) {
	d, ok := s.lookup(f.root, f.path)
	if ok && f.fallback != nil && string(d.json) == "null" {
		ok = false
	}
	switch {
	case !ok && f.fallback != nil:
		return datum{text: *f.fallback}, nil
	case !ok:
		return d, fmt.Errorf("%s is missing", f.text)
	case f.prefix == "":
		return d, nil
	}
	if len(d.json) > 0 && d.json[0] != '"' {
		return d, nil // only texts have prefixes; in arrays each element has its own
	}
	text, err := f.plain(d)
	return datum{text: text}, err
}

// string returns the field's value as text.
func (f *field) string(s scope) (string, error) {
	d, err := f.value(s)
	if err != nil {
		return "", err
	}
	return f.plain(d)
}

// plain makes text of a text, number, true or false.
func (f *field) plain(d datum) (string, error) {
	text := d.text
	if d.json != nil {
		switch {
		case len(d.json) == 0, string(d.json) == "null":
			return "", fmt.Errorf("%s is missing", f.text)
		case d.json[0] == '{', d.json[0] == '[':
			return "", fmt.Errorf("%s must be a text, a number, true or false", f.text)
		case d.json[0] == '"':
			var ok bool
			if text, ok = unquote(d.json); !ok {
				return "", fmt.Errorf("%s is no text", f.text)
			}
		default:
			text = string(d.json)
		}
	}
	return strings.TrimPrefix(text, f.prefix), nil
}
