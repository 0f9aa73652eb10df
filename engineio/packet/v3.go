package packet

import (
	"encoding/base64"
	"iter"
	"strconv"
	"unicode/utf8"
)

// DecodeV3 reads one v3 packet in text form: a WebSocket text frame, or one
// packet of a text payload. It is like Decode, but base64 has a type of its own.
func DecodeV3(text []byte) (Packet, error) {
	if len(text) == 0 || text[0] != base64Mark {
		return Decode(text)
	}
	t, err := decodeType(text[1:], '0')
	if err != nil {
		return Packet{}, shift(err, 1)
	}
	return Packet{Type: t, Binary: true, Data: decodeBase64(text[2:])}, nil
}

// DecodeV3Binary reads one v3 packet in binary form: a WebSocket binary frame,
// or one binary packet of a binary payload. Data aliases frame.
func DecodeV3Binary(frame []byte) (Packet, error) {
	t, err := decodeType(frame, 0)
	if err != nil {
		return Packet{}, err
	}
	return Packet{Type: t, Binary: true, Data: frame[1:]}, nil
}

// PayloadV3 iterates over the packets of a v3 text payload, as Payload does. A
// length counts UTF-16 code units and must not end within a character. Packets
// of length 0 are passed over.
func PayloadV3(body []byte) iter.Seq2[Packet, error] {
	return func(yield func(Packet, error) bool) {
		if len(body) == 0 {
			yield(Packet{}, fail(ErrEmpty, 0))
			return
		}
		for i := 0; i < len(body); {
			start, end, err := textBounds(body, i)
			if i = end; err == nil && start == end {
				continue
			}
			var p Packet
			if err == nil {
				p, err = decodeUntrusted(body[start:end], start, DecodeV3)
			}
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// textBounds returns where the packet is whose length starts at i.
func textBounds(body []byte, i int) (start, end int, err error) {
	start, length := i, 0
	for ; i < len(body) && body[i]-'0' <= 9; i++ {
		if length = length*10 + int(body[i]-'0'); length > len(body) {
			return 0, 0, fail(ErrLength, start)
		}
	}
	if i == start || i == len(body) || body[i] != ':' {
		return 0, 0, fail(ErrLength, start)
	}
	n := skipUTF16(body[i+1:], length)
	if n < 0 {
		return 0, 0, fail(ErrLength, start)
	}
	return i + 1, i + 1 + n, nil
}

// skipUTF16 returns how many bytes the first units UTF-16 code units of s take,
// -1 if s is too short or the last of them is half a character.
func skipUTF16(s []byte, units int) (n int) {
	for units > 0 && n < len(s) {
		if s[n] < utf8.RuneSelf {
			n, units = n+1, units-1
			continue
		}
		r, size := utf8.DecodeRune(s[n:])
		n, units = n+size, units-utf16Len(r)
	}
	if units != 0 {
		return -1
	}
	return n
}

func utf16Len(r rune) int {
	if r >= 0x10000 {
		return 2
	}
	return 1
}

// AppendV3 appends a v3 packet in text form, binary data as base64.
func AppendV3(dst []byte, p Packet) []byte {
	if p.Binary {
		dst = append(dst, base64Mark, '0'+byte(p.Type))
		return base64.StdEncoding.AppendEncode(dst, p.Data)
	}
	return Append(dst, p)
}

// AppendPayloadV3 appends a v3 text payload; "0:" if there are no packets.
func AppendPayloadV3(dst []byte, packets ...Packet) []byte {
	if len(packets) == 0 {
		return append(dst, "0:"...)
	}
	for _, p := range packets {
		dst = append(strconv.AppendInt(dst, int64(unitsV3(p)), 10), ':')
		dst = AppendV3(dst, p)
	}
	return dst
}

// unitsV3 returns how many UTF-16 code units AppendV3 makes of p.
func unitsV3(p Packet) int {
	if p.Binary {
		return 2 + base64.StdEncoding.EncodedLen(len(p.Data))
	}
	n := 1
	for i := 0; i < len(p.Data); {
		r, size := utf8.DecodeRune(p.Data[i:])
		i, n = i+size, n+utf16Len(r)
	}
	return n
}
