package packet

import (
	"bytes"
	"encoding/json"
)

// AppendJSONP appends the script that hands payload to the client's callback.
// index is the query parameter j; what is not a digit in it is left out. The
// payload becomes a JavaScript string that is also safe inside HTML.
func AppendJSONP(dst []byte, index string, payload []byte) []byte {
	dst = append(dst, "___eio["...)
	for _, c := range []byte(index) {
		if c-'0' <= 9 {
			dst = append(dst, c)
		}
	}
	quoted, _ := json.Marshal(string(payload)) // a string always can be
	dst = append(append(dst, "]("...), quoted...)
	return append(dst, ");"...)
}

// DecodeJSONP returns the payload in the body of a JSON-P POST: the form field d,
// in which the client has escaped line ends, because browsers change them in
// forms. It aliases body, which is overwritten.
func DecodeJSONP(body []byte) ([]byte, error) {
	for rest, more := body, true; more; {
		var field []byte
		field, rest, more = bytes.Cut(rest, []byte{'&'})
		if value, ok := bytes.CutPrefix(field, []byte("d=")); ok {
			return unescapeLines(unescapeForm(value)), nil
		}
	}
	return nil, fail(ErrForm, 0)
}

// unescapeForm decodes application/x-www-form-urlencoded in place. A percent sign
// without two digits stands for itself.
func unescapeForm(p []byte) []byte {
	out := p[:0]
	for i := 0; i < len(p); i++ {
		c := p[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+2 < len(p) && hexValue(p[i+1]) < 16 && hexValue(p[i+2]) < 16:
			c = hexValue(p[i+1])<<4 | hexValue(p[i+2])
			i += 2
		}
		out = append(out, c)
	}
	return out
}

func hexValue(c byte) byte {
	switch {
	case c-'0' <= 9:
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return (c | 0x20) - 'a' + 10
	}
	return 255
}

// unescapeLines turns backslash n into a line feed, and two backslashes and n
// into backslash n, in place.
func unescapeLines(p []byte) []byte {
	out := p[:0]
	for i := 0; i < len(p); i++ {
		switch rest := p[i:]; {
		case bytes.HasPrefix(rest, []byte(`\\n`)):
			out = append(out, '\\', 'n')
			i += 2
		case bytes.HasPrefix(rest, []byte(`\n`)):
			out = append(out, '\n')
			i++
		default:
			out = append(out, p[i])
		}
	}
	return out
}
