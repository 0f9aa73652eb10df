package route

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The functions of this file walk over JSON without decoding it: a route looks
// at one field of an event, and the rest passes through as it is. They expect
// valid JSON. On anything else they find nothing, and never read outside of it.

// step is one part of a path: a key of an object, or an index of an array.
type step struct {
	key   string
	index int // -1: only a key
}

func newStep(key string) step {
	index, err := strconv.Atoi(key)
	if err != nil || index < 0 || strconv.Itoa(index) != key {
		index = -1
	}
	return step{key, index}
}

// find returns the value at a path, nil if there is none.
func find(value []byte, path []step) []byte {
	for _, s := range path {
		switch value = value[space(value, 0):]; {
		case len(value) == 0:
			return nil
		case value[0] == '{':
			value = member(value, s.key)
		case value[0] == '[' && s.index >= 0:
			value = element(value, s.index)
		default:
			return nil
		}
	}
	return bytes.TrimSpace(value)
}

// member returns the value of a key; the last of several equal ones counts, as in
// JavaScript. nil: there is none.
func member(object []byte, key string) (value []byte) {
	for i := 1; ; i++ {
		i = space(object, i)
		start := i
		if i = skip(object, i); i >= len(object) || object[start] != '"' {
			return value
		}
		found := equal(object[start:i], key)
		if i = space(object, i); i >= len(object) || object[i] != ':' {
			return value
		}
		start = space(object, i+1)
		i = skip(object, start)
		if found {
			value = object[start:i]
		}
		if i = space(object, i); i >= len(object) || object[i] != ',' {
			return value
		}
	}
}

// equal compares a quoted text with one that is not.
func equal(quoted []byte, text string) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1:len(quoted)-1]) == text
	}
	s, ok := unquote(quoted)
	return ok && s == text
}

// unquote returns the text of a JSON string.
func unquote(quoted []byte) (text string, ok bool) {
	if len(quoted) < 2 || quoted[0] != '"' || quoted[len(quoted)-1] != '"' {
		return "", false
	}
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1]), true
	}
	err := json.Unmarshal(quoted, &text)
	return text, err == nil
}

// element returns element n of an array, nil if there is none.
func element(array []byte, n int) []byte {
	for i := 1; ; i++ {
		start := space(array, i)
		if start >= len(array) || array[start] == ']' {
			return nil
		}
		i = skip(array, start)
		if n == 0 {
			return array[start:i]
		}
		n--
		if i = space(array, i); i >= len(array) || array[i] != ',' {
			return nil
		}
	}
}

// skip returns the index behind the value at i.
func skip(p []byte, i int) int {
	if i >= len(p) {
		return len(p)
	}
	switch p[i] {
	case '"':
		return skipString(p, i)
	case '{', '[':
		return skipNested(p, i)
	}
	for i < len(p) && strings.IndexByte(" \t\r\n,:]}", p[i]) < 0 {
		i++
	}
	return i
}

// skipString returns the index behind the string whose opening quote is at i.
func skipString(p []byte, i int) int {
	for i++; i < len(p); {
		n := bytes.IndexByte(p[i:], '"')
		if n < 0 {
			break
		}
		end := i + n
		back := bytes.IndexByte(p[i:end], '\\')
		if back < 0 {
			return end + 1
		}
		i += back + 2 // behind what is escaped, which may be the quote
	}
	return len(p)
}

func skipNested(p []byte, i int) int {
	for depth := 0; i < len(p); {
		switch p[i] {
		case '"':
			i = skipString(p, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if i++; depth == 0 {
			return i
		}
	}
	return len(p)
}

func space(p []byte, i int) int {
	for i < len(p) && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r' || p[i] == '\n') {
		i++
	}
	return i
}

// validJSON reports whether p is JSON in UTF-8: what is not would end the
// WebSockets of all who get it.
func validJSON(p []byte) bool { return json.Valid(p) && utf8.Valid(p) }
