package websocket

import "encoding/binary"

// MaxHeader is the longest header of a frame from a server, in bytes: the
// headroom that PutHeader needs at most.
const MaxHeader = 10

const (
	finBit  = 0x80
	rsv1Bit = 0x40
	maskBit = 0x80

	len16 = 126 // the length stands in the next 2 bytes
	len64 = 127 // the length stands in the next 8 bytes
)

// HeaderLen returns the size of the header of a frame with n bytes of payload:
// 2, 4 or 10.
func HeaderLen(n int) int {
	switch {
	case n < len16:
		return 2
	case n <= 0xFFFF:
		return 4
	default:
		return MaxHeader
	}
}

// AppendHeader appends the header of a frame with n bytes of payload, without
// a mask. rsv1 marks the first frame of a compressed message.
func AppendHeader(dst []byte, op Opcode, fin, rsv1 bool, n int) []byte {
	b := byte(op)
	if fin {
		b |= finBit
	}
	if rsv1 {
		b |= rsv1Bit
	}
	switch HeaderLen(n) {
	case 2:
		return append(dst, b, byte(n))
	case 4:
		return append(dst, b, len16, byte(n>>8), byte(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, b, len64), uint64(n))
	}
}

// AppendFrame appends a whole unfragmented frame. The payload of a Ping or Pong
// has at most 125 bytes.
func AppendFrame(dst []byte, op Opcode, payload []byte) []byte {
	return append(AppendHeader(dst, op, true, false, len(payload)), payload...)
}

// PutHeader writes the header of an unfragmented frame in front of its payload,
// buf[headroom:], and returns the frame: the part of buf that begins with the
// header. headroom must be at least HeaderLen(len(buf)-headroom); MaxHeader
// always is.
func PutHeader(buf []byte, headroom int, op Opcode) []byte {
	n := len(buf) - headroom
	start := headroom - HeaderLen(n)
	AppendHeader(buf[start:start], op, true, false, n)
	return buf[start:]
}
