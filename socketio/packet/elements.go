package packet

import (
	"bytes"
	"encoding/json"
	"iter"
	"strconv"
)

// EventName returns the name of an event, which is the first element of data: a
// string without quotes and escapes, a number as JavaScript prints it. The name
// aliases data unless it had to be rewritten. It is nil for an event without
// payload.
//
// data is the Data of an Event that Decode returned; an *Error tells of anything
// else that it notices.
func EventName(data []byte) ([]byte, error) {
	if data == nil {
		return nil, nil
	}
	i := skipSpace(data, 0)
	if i == len(data) || data[i] != '[' {
		return nil, fail(ErrPayload, i)
	}
	i = skipSpace(data, i+1)
	name := data[i:skipValue(data, i)]
	switch {
	case len(name) >= 2 && name[0] == '"':
		return unquote(name), nil
	case len(name) > 0 && (name[0] == '-' || name[0]-'0' <= 9):
		return numberName(name), nil
	}
	return nil, fail(ErrPayload, i)
}

// numberName prints a JSON number as JavaScript does: 1.0 is "1".
func numberName(number []byte) []byte {
	if number[0] != '-' && skipDigits(number, 0) == len(number) && len(number) < 16 {
		return number
	}
	f, _ := strconv.ParseFloat(string(number), 64) // out of range is infinite, as there
	return appendNumber(nil, f)
}

// Elements iterates over the raw elements of a JSON array. They alias array and
// have no space around them. array is valid JSON, such as the Data of an Event or
// Ack; nil and what is not an array has no elements.
func Elements(array []byte) iter.Seq[json.RawMessage] {
	return func(yield func(json.RawMessage) bool) {
		for e, i := element(array, 0); e != nil; e, i = element(array, i) {
			if !yield(e) {
				return
			}
		}
	}
}

// Split appends the raw elements of a JSON array to dst: see Elements.
func Split(dst []json.RawMessage, array []byte) []json.RawMessage {
	for e, i := element(array, 0); e != nil; e, i = element(array, i) {
		dst = append(dst, e)
	}
	return dst
}

// element returns the element after the bracket or comma at i, and the index of
// the comma or bracket behind it; nil if there is none.
func element(array []byte, i int) (json.RawMessage, int) {
	if i = skipSpace(array, i); i == len(array) || (array[i] != '[' && array[i] != ',') {
		return nil, i
	}
	start := skipSpace(array, i+1)
	end := skipValue(array, start)
	if start == end {
		return nil, end
	}
	return json.RawMessage(array[start:end:end]), skipSpace(array, end)
}

// skipValue returns the index behind the value that starts at i. On anything but
// valid JSON it returns some index from i to len(p).
func skipValue(p []byte, i int) int {
	if i == len(p) {
		return i
	}
	switch p[i] {
	case '"':
		return skipString(p, i)
	case '[', '{':
		return skipNested(p, i)
	}
	for i < len(p) && p[i] > ' ' && p[i] != ',' && p[i] != ']' && p[i] != '}' {
		i++
	}
	return i
}

func skipNested(p []byte, i int) int {
	for depth := 0; i < len(p); {
		switch p[i] {
		case '"':
			i = skipString(p, i)
			continue
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		if i++; depth == 0 {
			return i
		}
	}
	return i
}

// skipString returns the index behind the string whose opening quote is at i.
func skipString(p []byte, i int) int {
	for first := i + 1; ; {
		n := bytes.IndexByte(p[i+1:], '"')
		if n < 0 {
			return len(p)
		}
		if i += n + 1; !escaped(p[first:i]) {
			return i + 1
		}
	}
}

// escaped reports whether the byte behind s is escaped by a backslash.
func escaped(s []byte) bool {
	n := len(s)
	for n > 0 && s[n-1] == '\\' {
		n--
	}
	return (len(s)-n)%2 == 1
}
