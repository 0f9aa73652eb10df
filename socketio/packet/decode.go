package packet

import (
	"bytes"
	"math"
	"unicode/utf8"
)

// Decode reads one text packet and checks all of it: grammar, JSON, UTF-8, the
// payload's form, the event name, and that every placeholder of a binary packet
// names an attachment that is announced. Data of the result aliases text. Binary
// packets come back with Count set and without Attachments: see Decoder.
//
// It accepts what socket.io-parser accepts, but for what only JavaScript's
// numbers explain. Types, counts and ids are decimal digits: no space, sign,
// fraction or exponent. An id fits into 64 bits, an attachment's number is an
// integer. Invalid UTF-8 is refused, not replaced: it must not reach others.
func Decode(text []byte, o Options) (Packet, error) {
	o = o.withDefaults()
	p, i, err := decodeHeader(text, &o)
	if err != nil {
		return Packet{}, err
	}
	if i == len(text) {
		return p, nil
	}
	p.Data = text[i:]
	if err := checkJSON(p.Data, o.MaxDepth, i); err != nil {
		return Packet{}, err
	}
	if err := checkPayload(p.Type, p.Data, i); err != nil {
		return Packet{}, err
	}
	if p.Count > 0 {
		if err := checkPlaceholders(p.Data, p.Count, i); err != nil {
			return Packet{}, err
		}
	}
	return p, nil
}

// decodeHeader returns the packet without Data, and where the JSON starts.
func decodeHeader(text []byte, o *Options) (p Packet, i int, err error) {
	if len(text) == 0 {
		return p, 0, fail(ErrEmpty, 0)
	}
	p.Type = Type(text[0] - '0')
	if p.Type > BinaryAck {
		return p, 0, fail(ErrType, 0)
	}
	i = 1
	if p.Type.Binary() {
		if p.Count, i, err = decodeCount(text, o.MaxAttachments); err != nil {
			return p, 0, err
		}
	}
	if p.Namespace, i, err = decodeNamespace(text, i, o); err != nil {
		return p, 0, err
	}
	p.ID, p.HasID, i, err = decodeID(text, i)
	return p, i, err
}

func decodeCount(text []byte, limit int) (n, i int, err error) {
	for i = 1; i < len(text) && text[i]-'0' <= 9; i++ {
		if n = n*10 + int(text[i]-'0'); n > limit {
			return 0, 0, fail(ErrAttachments, 1)
		}
	}
	if n == 0 || i == len(text) || text[i] != '-' {
		return 0, 0, fail(ErrCount, 1)
	}
	return n, i + 1, nil
}

func decodeNamespace(text []byte, i int, o *Options) (string, int, error) {
	if i == len(text) || text[i] != '/' {
		return "/", i, nil
	}
	name, next := text[i:], len(text)
	if n := bytes.IndexByte(name, ','); n >= 0 {
		name, next = name[:n], i+n+1
	}
	if !utf8.Valid(name) {
		return "", 0, fail(ErrUTF8, i)
	}
	return o.namespace(name), next, nil
}

func decodeID(text []byte, i int) (id uint64, has bool, next int, err error) {
	start := i
	for ; i < len(text) && text[i]-'0' <= 9; i++ {
		d := uint64(text[i] - '0')
		if id > (math.MaxUint64-d)/10 {
			return 0, false, 0, fail(ErrID, start)
		}
		id = id*10 + d
	}
	return id, i > start, i, nil
}
