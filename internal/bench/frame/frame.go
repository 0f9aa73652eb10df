// Package frame is the client side of WebSocket framing (RFC 6455 section 5),
// as cheap as it gets: no allocation, no copy of what arrives.
//
//	byte 0    FIN 1 | reserved 3 | opcode 4
//	byte 1    MASK 1 | length 7; 126: 2 more bytes, 127: 8 more bytes
//	          masking key 4, if MASK
package frame

import (
	"encoding/binary"
	"errors"
)

// Op is an opcode, RFC 6455 section 5.2.
type Op byte

const (
	Continuation Op = 0x0
	Text         Op = 0x1
	Binary       Op = 0x2
	Close        Op = 0x8
	Ping         Op = 0x9
	Pong         Op = 0xA
)

// Control reports whether frames of this opcode are control frames.
func (op Op) Control() bool { return op&0x8 != 0 }

// Frame is one frame from a server. Data is part of the buffer it was read
// from.
type Frame struct {
	Fin  bool
	Op   Op
	Data []byte
}

var (
	// ErrMasked: a server must not mask, RFC 6455 section 5.1.
	ErrMasked = errors.New("server sent a masked frame")
	// ErrReserved: a reserved bit is set although no extension was agreed, or
	// the opcode is not defined.
	ErrReserved = errors.New("frame uses reserved bits or a reserved opcode")
	// ErrControl: a control frame is fragmented or longer than 125 bytes.
	ErrControl = errors.New("control frame is fragmented or too long")
	// ErrTooLong: the frame exceeds MaxData.
	ErrTooLong = errors.New("frame is longer than 16 MiB")
)

// MaxData bounds the data of one frame that Next accepts, in bytes.
const MaxData = 16 << 20

// Next returns the frame at the front of p and the number of bytes it takes;
// 0 bytes if the frame is not complete yet. After an error the stream is
// unusable.
func Next(p []byte) (Frame, int, error) {
	if len(p) < 2 {
		return Frame{}, 0, nil
	}
	f := Frame{Fin: p[0]&0x80 != 0, Op: Op(p[0] & 0x0f)}
	if err := f.check(p[0], p[1]); err != nil {
		return Frame{}, 0, err
	}
	length, head := dataLength(p)
	if length > MaxData {
		return Frame{}, 0, ErrTooLong
	}
	end := head + int(length)
	if head == 0 || len(p) < end {
		return Frame{}, 0, nil
	}
	f.Data = p[head:end]
	return f, end, nil
}

func (f Frame) check(b0, b1 byte) error {
	switch {
	case b0&0x70 != 0, f.Op > Binary && f.Op < Close, f.Op > Pong:
		return ErrReserved
	case b1&0x80 != 0:
		return ErrMasked
	case f.Op.Control() && (!f.Fin || b1 > 125):
		return ErrControl
	}
	return nil
}

// dataLength returns the length of the data and of the header, 0 for the header
// if p ends within it.
func dataLength(p []byte) (length uint64, head int) {
	switch short := p[1] & 0x7f; {
	case short < 126:
		return uint64(short), 2
	case short == 126 && len(p) >= 4:
		return uint64(binary.BigEndian.Uint16(p[2:])), 4
	case short == 127 && len(p) >= 10:
		return binary.BigEndian.Uint64(p[2:]), 10
	}
	return 0, 0
}

// Append appends one final frame as a client sends it: data masked with key.
func Append(dst []byte, op Op, key uint32, data []byte) []byte {
	dst = appendHead(dst, op, 0x80, len(data))
	dst = binary.LittleEndian.AppendUint32(dst, key)
	start := len(dst)
	dst = append(dst, data...)
	mask(dst[start:], key)
	return dst
}

// AppendServer appends one final frame as a server sends it: not masked.
func AppendServer(dst []byte, op Op, data []byte) []byte {
	return append(appendHead(dst, op, 0, len(data)), data...)
}

// appendHead appends the first two bytes and the longer forms of the length.
func appendHead(dst []byte, op Op, masked byte, n int) []byte {
	dst = append(dst, 0x80|byte(op))
	switch {
	case n < 126:
		return append(dst, masked|byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, masked|126), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, masked|127), uint64(n))
}

// mask applies the masking key, RFC 6455 section 5.3.
func mask(p []byte, key uint32) {
	wide := uint64(key)<<32 | uint64(key)
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^wide)
		p = p[8:]
	}
	for i := range p {
		p[i] ^= byte(key >> (8 * (i % 4)))
	}
}
