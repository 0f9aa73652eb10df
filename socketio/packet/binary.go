package packet

import (
	"bytes"
	"encoding/base64"
	"errors"
)

// ErrBase64 is what is wrong with a {"$binary":…} that Extract cannot read.
var ErrBase64 = errors.New("$binary must be a text in base64 (RFC 4648, section 4, with padding)")

const (
	binaryBegin = `{"$binary":"`
	binaryEnd   = `"}`
)

// Inline returns data, which is valid JSON, with {"$binary":"<base64>"} in place of
// each placeholder, for whoever takes binary values within JSON. Without
// attachments it is data itself; a placeholder for no attachment stays.
func Inline(data []byte, attachments [][]byte) []byte {
	if len(attachments) == 0 {
		return data
	}
	l := layout{p: data}
	l.value(0)
	size := len(data)
	for _, a := range attachments {
		size += base64.StdEncoding.EncodedLen(len(a))
	}
	out, from := make([]byte, 0, size), 0
	for _, s := range l.spans {
		if s.num < 0 || s.num >= len(attachments) {
			continue
		}
		out = append(append(out, data[from:s.start]...), binaryBegin...)
		out = append(base64.StdEncoding.AppendEncode(out, attachments[s.num]), binaryEnd...)
		from = s.end
	}
	return append(out, data[from:]...)
}

// Extract is the inverse: it returns data, which is valid JSON, with a placeholder
// in place of each object whose only member is $binary, and what these hold. An
// *Error wraps ErrBase64, ErrAttachments, or ErrPlaceholder: data had a placeholder
// of its own beside them.
func Extract(data []byte) (out []byte, attachments [][]byte, err error) {
	from := 0
	for i := 0; i < len(data); {
		switch data[i] {
		case '"':
			i = skipString(data, i)
			continue
		case '{':
			value, end := binaryAt(data, i)
			if end == 0 {
				break
			}
			b, err := decodeBinary(value)
			if err != nil {
				return nil, nil, fail(err, i)
			}
			out = appendPlaceholder(append(out, data[from:i]...), len(attachments))
			attachments = append(attachments, b)
			i, from = end, end
			continue
		}
		i++
	}
	if len(attachments) == 0 {
		return data, nil, nil
	}
	out = append(out, data[from:]...)
	return out, attachments, checkExtracted(out, len(attachments))
}

// binaryAt returns the value of the $binary that is the only member of the object at
// i, and the index behind the object; 0 for any other object.
func binaryAt(data []byte, i int) (value []byte, end int) {
	key := skipSpace(data, i+1)
	if key == len(data) || data[key] != '"' {
		return nil, 0
	}
	colon := skipString(data, key)
	if name := data[key:colon]; string(name) != `"$binary"` && !bytes.Equal(unquote(name), []byte("$binary")) {
		return nil, 0
	}
	start := skipSpace(data, skipSpace(data, colon)+1)
	after := skipValue(data, start)
	if end = skipSpace(data, after); end == len(data) || data[end] != '}' {
		return nil, 0
	}
	return data[start:after], end + 1
}

func decodeBinary(value []byte) ([]byte, error) {
	if len(value) < 2 || value[0] != '"' {
		return nil, ErrBase64
	}
	text := unquote(value)
	b := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Strict().Decode(b, text)
	if err != nil {
		return nil, ErrBase64
	}
	return b[:n], nil
}

// checkExtracted refuses what receivers would refuse, or read in another way.
func checkExtracted(data []byte, count int) error {
	if count > DefaultMaxAttachments {
		return fail(ErrAttachments, 0)
	}
	l := layout{p: data, spans: make([]span, 0, count)}
	l.value(0)
	if len(l.spans) != count {
		return fail(ErrPlaceholder, 0)
	}
	for i, s := range l.spans {
		if s.num != i {
			return fail(ErrPlaceholder, s.start)
		}
	}
	return nil
}
