package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// What follows walks over JSON that is known to be valid: see validate.

// validate refuses what is not one JSON value in UTF-8, or nests too deep.
func validate(p []byte, maxDepth int) error {
	if !utf8.Valid(p) {
		return fmt.Errorf("is not UTF-8: byte %d begins no character", firstInvalid(p))
	}
	if !json.Valid(p) {
		return syntaxError(p)
	}
	if d := depth(p); d > maxDepth {
		return fmt.Errorf("nests %d arrays and objects: at most %d are allowed", d, maxDepth)
	}
	return nil
}

func firstInvalid(p []byte) int {
	for i := 0; i < len(p); {
		r, size := utf8.DecodeRune(p[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(p)
}

// syntaxError says where p stops to be JSON.
func syntaxError(p []byte) error {
	var v json.RawMessage
	err := json.Unmarshal(p, &v)
	var syntax *json.SyntaxError
	switch {
	case len(skipSpace(p)) == 0:
		return errors.New("is empty: must be JSON")
	case errors.As(err, &syntax):
		return fmt.Errorf("is not JSON: byte %d: %w", syntax.Offset, err)
	case err == nil:
		err = errors.New("unknown fault")
	}
	return fmt.Errorf("is not JSON: %w", err)
}

// depth is how deep arrays and objects nest.
func depth(p []byte) int {
	deepest, now := 0, 0
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '"':
			i += stringEnd(p[i:]) - 1
		case '{', '[':
			now++
			deepest = max(deepest, now)
		case '}', ']':
			now--
		}
	}
	return deepest
}

func skipSpace(p []byte) []byte {
	for len(p) > 0 && (p[0] == ' ' || p[0] == '\n' || p[0] == '\r' || p[0] == '\t') {
		p = p[1:]
	}
	return p
}

// stringEnd returns the length of the string that p begins with.
func stringEnd(p []byte) int {
	for i := 1; ; i++ {
		switch p[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

// valueEnd returns the length of the value that p begins with.
func valueEnd(p []byte) int {
	switch p[0] {
	case '"':
		return stringEnd(p)
	case '{', '[':
		return nestedEnd(p)
	}
	for i, c := range p {
		switch c {
		case ',', ']', '}', ' ', '\n', '\r', '\t':
			return i
		}
	}
	return len(p)
}

func nestedEnd(p []byte) int {
	open := 0
	for i := 0; ; i++ {
		switch p[i] {
		case '"':
			i += stringEnd(p[i:]) - 1
		case '{', '[':
			open++
		case '}', ']':
			if open--; open == 0 {
				return i + 1
			}
		}
	}
}

// members calls f for each member of an object: the key with its quotes, the value
// without space around it.
func members(p []byte, f func(key, value []byte)) {
	p = skipSpace(p[1:])
	for p[0] == '"' {
		key := p[:stringEnd(p)]
		p = skipSpace(p[len(key):])
		p = skipSpace(p[1:]) // the colon
		value := p[:valueEnd(p)]
		p = skipSpace(p[len(value):])
		f(key, value)
		if p[0] == ',' {
			p = skipSpace(p[1:])
		}
	}
}

// unquote returns the text of a string. ok is false if half of a surrogate pair is
// missing: that is no text, and would become another.
func unquote(p []byte) (text string, ok bool) {
	escaped := false
	for _, c := range p {
		escaped = escaped || c == '\\'
	}
	if !escaped {
		return string(p[1 : len(p)-1]), true
	}
	if json.Unmarshal(p, &text) != nil || lonely(p) {
		return "", false
	}
	return text, true
}

// lonely reports whether there is an escape for half of a surrogate pair alone.
func lonely(p []byte) bool {
	for i := 0; i+1 < len(p); i++ {
		if p[i] != '\\' {
			continue
		}
		if i++; p[i] != 'u' {
			continue
		}
		switch half(p[i:]) {
		case high:
			if i += 5; p[i] != '\\' || p[i+1] != 'u' || half(p[i+1:]) != low {
				return true
			}
			i++
		case low:
			return true
		}
	}
	return false
}

type surrogate uint8

const (
	none surrogate = iota
	high           // D800 to DBFF
	low            // DC00 to DFFF
)

// half says what the escape uXXXX stands for.
func half(p []byte) surrogate {
	if p[1] != 'd' && p[1] != 'D' {
		return none
	}
	switch p[2] {
	case '8', '9', 'a', 'b', 'A', 'B':
		return high
	case 'c', 'd', 'e', 'f', 'C', 'D', 'E', 'F':
		return low
	}
	return none
}
