package packet

import (
	"bytes"
	"encoding/base64"
	"iter"
	"unicode/utf8"
)

// Separator stands between the packets of a v4 payload.
const Separator = 0x1e

// base64Mark begins a binary message in text form.
const base64Mark = 'b'

// Decode reads one v4 packet in text form: a WebSocket text frame, or one packet
// of a payload. Data aliases text. Base64 is decoded in place: text is
// overwritten then. See Payload for how lenient that is.
//
// It does not look for invalid UTF-8, as whoever reads frames has to do that.
func Decode(text []byte) (Packet, error) {
	if len(text) > 0 && text[0] == base64Mark {
		return Packet{Type: Message, Binary: true, Data: decodeBase64(text[1:])}, nil
	}
	t, err := decodeType(text, '0')
	if err != nil {
		return Packet{}, err
	}
	return Packet{Type: t, Data: text[1:]}, nil
}

// decodeType returns the type in the first byte of p, which is zero for Open.
func decodeType(p []byte, zero byte) (Type, error) {
	if len(p) == 0 {
		return 0, fail(ErrEmpty, 0)
	}
	if t := Type(p[0] - zero); t <= Noop {
		return t, nil
	}
	return 0, fail(ErrType, 0)
}

// Payload iterates over the packets of a v4 payload. It ends after the first
// error; the packets before it are good. Data aliases body, which is overwritten
// where it holds base64: body can be read once.
//
// Text has to be valid UTF-8. Base64 is read as Node.js reads it: either
// alphabet, padding or none, other characters are left out of account.
func Payload(body []byte) iter.Seq2[Packet, error] {
	return func(yield func(Packet, error) bool) {
		for start := 0; start <= len(body); {
			end := len(body)
			if n := bytes.IndexByte(body[start:], Separator); n >= 0 {
				end = start + n
			}
			p, err := decodeUntrusted(body[start:end], start, Decode)
			if !yield(p, err) || err != nil {
				return
			}
			start = end + 1
		}
	}
}

// decodeUntrusted decodes text that stands at offset base of a payload, if it is
// valid UTF-8.
func decodeUntrusted(text []byte, base int, decode func([]byte) (Packet, error)) (Packet, error) {
	if !utf8.Valid(text) {
		return Packet{}, fail(ErrUTF8, base)
	}
	p, err := decode(text)
	return p, shift(err, base)
}

// Append appends a v4 packet in text form, binary data as base64.
func Append(dst []byte, p Packet) []byte {
	if p.Binary {
		return base64.StdEncoding.AppendEncode(append(dst, base64Mark), p.Data)
	}
	return append(append(dst, '0'+byte(p.Type)), p.Data...)
}

// AppendPayload appends a v4 payload. Text must not contain the Separator.
func AppendPayload(dst []byte, packets ...Packet) []byte {
	for i, p := range packets {
		if i > 0 {
			dst = append(dst, Separator)
		}
		dst = Append(dst, p)
	}
	return dst
}
