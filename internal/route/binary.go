package route

import (
	"encoding/base64"
	"encoding/json"
)

// inline puts attachments into JSON, where their placeholders are, as
// {"$binary":"<base64>"}. All else stays as it is, to the byte.
func inline(value json.RawMessage, attachments [][]byte) json.RawMessage {
	if len(attachments) == 0 {
		return value
	}
	size := len(value)
	for _, a := range attachments {
		size += base64.StdEncoding.EncodedLen(len(a)) + len(`{"$binary":""}`)
	}
	return appendInline(make([]byte, 0, size), value, attachments)
}

func appendInline(dst, value []byte, attachments [][]byte) []byte {
	for i := 0; i < len(value); {
		switch value[i] {
		case '"':
			end := skipString(value, i)
			dst = append(dst, value[i:end]...)
			i = end
		case '{':
			end := skip(value, i)
			if n, ok := placeholder(value[i:end]); ok && n < len(attachments) {
				dst = append(dst, `{"$binary":"`...)
				dst = base64.StdEncoding.AppendEncode(dst, attachments[n])
				dst = append(dst, `"}`...)
				i = end
				continue
			}
			dst = append(dst, '{')
			i++
		default:
			dst = append(dst, value[i])
			i++
		}
	}
	return dst
}

// placeholder returns which attachment an object stands for.
func placeholder(object []byte) (n int, ok bool) {
	if string(member(object, "_placeholder")) != "true" {
		return 0, false
	}
	err := json.Unmarshal(member(object, "num"), &n)
	return n, err == nil && n >= 0
}
