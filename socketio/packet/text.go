package packet

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// unquote returns what a JSON string stands for. It aliases quoted if there is
// no escape in it. A lone surrogate becomes U+FFFD.
func unquote(quoted []byte) []byte {
	s := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(s, '\\') < 0 {
		return s
	}
	return appendUnquoted(make([]byte, 0, len(s)), s)
}

// appendUnquoted appends s, the inside of a JSON string, without its escapes.
func appendUnquoted(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		if s[i] != '\\' || i+1 == len(s) {
			dst = append(dst, s[i])
			i++
			continue
		}
		switch c := s[i+1]; c {
		case 'u':
			var r rune
			r, i = unescapeRune(s, i)
			dst = utf8.AppendRune(dst, r)
			continue
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		default:
			dst = append(dst, c)
		}
		i += 2
	}
	return dst
}

// unescapeRune reads the \uXXXX at i, and a second one if they are a pair.
func unescapeRune(s []byte, i int) (rune, int) {
	r, ok := hex4(s, i+2)
	if !ok {
		return utf8.RuneError, len(s)
	}
	i += 6
	if utf16.IsSurrogate(r) && i+1 < len(s) && s[i] == '\\' && s[i+1] == 'u' {
		low, _ := hex4(s, i+2)
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair, i + 6
		}
	}
	return r, i // AppendRune replaces a surrogate
}

// AppendString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD.
func AppendString(dst []byte, s string) []byte { return appendQuoted(dst, s) }

func appendQuoted[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	start := len(dst)
	dst = append(dst, s...)
	// Most strings stay as they are: again from the first byte that does not.
	n := start
	if utf8.Valid(dst[start:]) {
		n += plainLen(dst[start:])
	}
	if n < len(dst) {
		dst = appendEscaped(dst[:n], s[n-start:])
	}
	return append(dst, '"')
}

// plainLen returns how many bytes at the start of s stand for themselves in a
// JSON string.
func plainLen(s []byte) (n int) {
	for ; n+8 <= len(s); n += 8 {
		if m := marks(binary.LittleEndian.Uint64(s[n:])); m != 0 {
			return n + bits.TrailingZeros64(m)/8
		}
	}
	for n < len(s) && s[n] >= ' ' && s[n] != '"' && s[n] != '\\' {
		n++
	}
	return n
}

// marks returns the top bit of every byte of x that is a quote, a backslash or a
// control character. A borrow may mark wrong bytes above a right one: only the
// lowest mark counts.
func marks(x uint64) uint64 {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	quote := (x ^ ones*'"') - ones
	slash := (x ^ ones*'\\') - ones
	return (quote | slash | (x - ones*' ')) & ^x & tops
}

// appendEscaped appends the inside of a JSON string that stands for s.
func appendEscaped[T string | []byte](dst []byte, s T) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := decodeRune(s[i:])
			if i += n; r == utf8.RuneError && n == 1 {
				dst = append(append(dst, s[start:i-1]...), "\uFFFD"...)
				start = i
			}
			continue
		}
		dst = appendEscape(append(dst, s[start:i]...), c)
		i++
		start = i
	}
	return append(dst, s[start:]...)
}

func decodeRune[T string | []byte](s T) (rune, int) {
	// The conversion of at most four bytes does not leave the stack.
	return utf8.DecodeRuneInString(string(s[:min(len(s), utf8.UTFMax)]))
}

func appendEscape(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// appendNumber appends f as JavaScript prints it (ECMA-262, Number::toString).
// It is JSON if f is finite.
func appendNumber(dst []byte, f float64) []byte {
	switch abs := math.Abs(f); {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case f == 0:
		return append(dst, '0')
	case abs >= 1e-6 && abs < 1e21:
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	// Go writes e-07 where JavaScript writes e-7.
	if n := len(dst); dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') {
		dst = append(dst[:n-2], dst[n-1])
	}
	return dst
}
