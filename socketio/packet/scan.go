package packet

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// scanner checks that bytes are JSON (RFC 8259) in valid UTF-8, in one pass. It
// is here, and not a validator of a library, because a relay also has to bound
// the depth and wants to say where the fault is.
//
// Its methods take the index where something starts and return the index behind
// it, or -1 after noting the fault.
type scanner struct {
	p   []byte
	err error // one of the Err values
	at  int   // index of the fault
}

// checkJSON returns an *Error, its offset moved by base, unless p is one JSON
// value, with or without space around it, that nests at most depth deep.
func checkJSON(p []byte, depth, base int) error {
	if !utf8.Valid(p) {
		return fail(ErrUTF8, base+validUTF8(p))
	}
	s := scanner{p: p}
	i := s.value(0, depth)
	if i >= 0 {
		if i = skipSpace(p, i); i == len(p) {
			return nil
		}
		s.fail(i, ErrJSON)
	}
	return fail(s.err, base+s.at)
}

func (s *scanner) fail(i int, err error) int {
	s.err, s.at = err, i
	return -1
}

func (s *scanner) value(i, depth int) int {
	i = skipSpace(s.p, i)
	if i >= len(s.p) {
		return s.fail(i, ErrJSON)
	}
	switch s.p[i] {
	case '"':
		return s.string(i + 1)
	case '{':
		return s.object(i, depth-1)
	case '[':
		return s.array(i, depth-1)
	case 't':
		return s.literal(i, "true")
	case 'f':
		return s.literal(i, "false")
	case 'n':
		return s.literal(i, "null")
	}
	return s.number(i)
}

func (s *scanner) array(i, depth int) int {
	if depth < 0 {
		return s.fail(i, ErrDepth)
	}
	if i = skipSpace(s.p, i+1); i < len(s.p) && s.p[i] == ']' {
		return i + 1
	}
	for {
		if i = s.value(i, depth); i < 0 {
			return i
		}
		i = skipSpace(s.p, i)
		switch {
		case i < len(s.p) && s.p[i] == ',':
			i++
		case i < len(s.p) && s.p[i] == ']':
			return i + 1
		default:
			return s.fail(i, ErrJSON)
		}
	}
}

func (s *scanner) object(i, depth int) int {
	if depth < 0 {
		return s.fail(i, ErrDepth)
	}
	if i = skipSpace(s.p, i+1); i < len(s.p) && s.p[i] == '}' {
		return i + 1
	}
	for {
		if i = s.member(i, depth); i < 0 {
			return i
		}
		i = skipSpace(s.p, i)
		switch {
		case i < len(s.p) && s.p[i] == ',':
			i = skipSpace(s.p, i+1)
		case i < len(s.p) && s.p[i] == '}':
			return i + 1
		default:
			return s.fail(i, ErrJSON)
		}
	}
}

// member reads a key, which starts at i, and its value.
func (s *scanner) member(i, depth int) int {
	if i >= len(s.p) || s.p[i] != '"' {
		return s.fail(i, ErrJSON)
	}
	if i = s.string(i + 1); i < 0 {
		return i
	}
	if i = skipSpace(s.p, i); i >= len(s.p) || s.p[i] != ':' {
		return s.fail(i, ErrJSON)
	}
	return s.value(i+1, depth)
}

// string reads from behind the opening quote: eight bytes at a time, because
// payloads are mostly strings.
func (s *scanner) string(i int) int {
	p := s.p
	for i+8 <= len(p) {
		m := marks(binary.LittleEndian.Uint64(p[i:]))
		if m == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(m) / 8
		if p[i] == '"' {
			return i + 1
		}
		if i = s.escape(i); i < 0 {
			return i
		}
	}
	return s.stringEnd(i)
}

// stringEnd reads the last bytes of a string one by one.
func (s *scanner) stringEnd(i int) int {
	for i < len(s.p) {
		switch c := s.p[i]; {
		case c == '"':
			return i + 1
		case c >= ' ' && c != '\\':
			i++
		default:
			if i = s.escape(i); i < 0 {
				return i
			}
		}
	}
	return s.fail(i, ErrJSON)
}

// escape reads a backslash and what it escapes. A control character, which must
// not be in a string, ends up here, too.
func (s *scanner) escape(i int) int {
	if s.p[i] != '\\' || i+1 >= len(s.p) {
		return s.fail(i, ErrJSON)
	}
	switch s.p[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if _, ok := hex4(s.p, i+2); ok {
			return i + 6
		}
	}
	return s.fail(i, ErrJSON)
}

func (s *scanner) literal(i int, word string) int {
	if len(s.p)-i < len(word) || string(s.p[i:i+len(word)]) != word {
		return s.fail(i, ErrJSON)
	}
	return i + len(word)
}

func (s *scanner) number(i int) int {
	start := i
	if s.p[i] == '-' {
		i++
	}
	digits := i
	i = skipDigits(s.p, i)
	if i == digits || (s.p[digits] == '0' && i > digits+1) {
		return s.fail(start, ErrJSON)
	}
	if i < len(s.p) && s.p[i] == '.' {
		digits = i + 1
		if i = skipDigits(s.p, digits); i == digits {
			return s.fail(start, ErrJSON)
		}
	}
	if i < len(s.p) && s.p[i]|0x20 == 'e' {
		i++
		if i < len(s.p) && (s.p[i] == '+' || s.p[i] == '-') {
			i++
		}
		digits = i
		if i = skipDigits(s.p, digits); i == digits {
			return s.fail(start, ErrJSON)
		}
	}
	return i
}

func skipDigits(p []byte, i int) int {
	for i < len(p) && p[i]-'0' <= 9 {
		i++
	}
	return i
}

func skipSpace(p []byte, i int) int {
	for i < len(p) && p[i] <= ' ' && (p[i] == ' ' || p[i] == '\n' || p[i] == '\r' || p[i] == '\t') {
		i++
	}
	return i
}

// validUTF8 returns how many bytes at the start of p are valid UTF-8.
func validUTF8(p []byte) (n int) {
	for n < len(p) {
		r, size := utf8.DecodeRune(p[n:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		n += size
	}
	return n
}

// hex4 reads four hexadecimal digits.
func hex4(p []byte, i int) (r rune, ok bool) {
	if len(p)-i < 4 {
		return 0, false
	}
	for _, c := range p[i : i+4] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = (c | 0x20) - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
