package websocket

import "encoding/binary"

// maxClientHeader is the longest header of a frame from a client, in bytes.
const maxClientHeader = MaxHeader + 4

// maxControl is the largest payload of a control frame, RFC 6455 section 5.5.
const maxControl = 125

// header is the header of a frame from a client.
type header struct {
	length uint64
	key    uint32 // lowest byte first
	op     Opcode
	fin    bool
	rsv1   bool
}

func (op Opcode) control() bool { return op >= closing }

// parseHeader reads the header at the beginning of b and returns its size, 0 if
// b ends before the header does. It checks all that needs no knowledge of the
// connection, as soon as the bytes that tell are there. Lengths in more bytes
// than they need are accepted, as by other servers.
func parseHeader(b []byte) (h header, n int, err error) {
	if len(b) < 2 {
		return h, 0, nil
	}
	h.op, h.fin, h.rsv1 = Opcode(b[0]&0x0F), b[0]&finBit != 0, b[0]&rsv1Bit != 0
	h.length = uint64(b[1] &^ maskBit)
	if err := checkStart(b[0], b[1], h); err != nil {
		return h, 0, err
	}
	n = 2
	switch h.length {
	case len16:
		n = 4
	case len64:
		n = MaxHeader
	}
	if len(b) < n+4 {
		return h, 0, nil
	}
	switch n {
	case 4:
		h.length = uint64(binary.BigEndian.Uint16(b[2:]))
	case MaxHeader:
		h.length = binary.BigEndian.Uint64(b[2:])
		if h.length>>63 != 0 {
			return h, 0, violation(CloseProtocol, "length with the highest bit set")
		}
	}
	h.key = binary.LittleEndian.Uint32(b[n:])
	return h, n + 4, nil
}

// checkStart judges the first two bytes of a frame.
func checkStart(b0, b1 byte, h header) error {
	switch {
	case b0&0x30 != 0:
		return violation(CloseProtocol, "reserved bit set")
	case h.op > Binary && h.op < closing, h.op > Pong:
		return violation(CloseProtocol, "unknown opcode")
	case b1&maskBit == 0:
		return violation(CloseProtocol, "frame without mask")
	case !h.op.control():
		return nil
	case !h.fin:
		return violation(CloseProtocol, "fragmented control frame")
	case h.rsv1:
		return violation(CloseProtocol, "compressed control frame")
	case h.length > maxControl:
		return violation(CloseProtocol, "control frame too long")
	}
	return nil
}
