package websocket

import (
	"encoding/binary"
	"slices"
	"testing"
)

// Bits for the first byte of a frame in tests.
const (
	fin  = 0x80
	rsv1 = 0x40
)

var testKey = [4]byte{0x37, 0xFA, 0x21, 0x3D}

// clientFrame builds a frame as a client does, without a look at this package's
// own code: b0 is its whole first byte.
func clientFrame(b0 byte, payload []byte) []byte {
	return maskedFrame(b0, testKey, payload)
}

func maskedFrame(b0 byte, key [4]byte, payload []byte) []byte {
	f := []byte{b0}
	switch n := len(payload); {
	case n < 126:
		f = append(f, 0x80|byte(n))
	case n < 1<<16:
		f = binary.BigEndian.AppendUint16(append(f, 0x80|126), uint16(n))
	default:
		f = binary.BigEndian.AppendUint64(append(f, 0x80|127), uint64(n))
	}
	f = append(f, key[:]...)
	for i, b := range payload {
		f = append(f, b^key[i%4])
	}
	return f
}

// textFrame is a whole text message of a client.
func textFrame(s string) []byte { return clientFrame(fin|0x1, []byte(s)) }

// serverFrame is a frame as a client understands it.
type serverFrame struct {
	fin, rsv1 bool
	op        Opcode
	payload   []byte
}

// serverFrames splits what a server has sent; it fails the test if that is not
// made of whole, unmasked frames.
func serverFrames(t testing.TB, p []byte) []serverFrame {
	t.Helper()
	var list []serverFrame
	for len(p) > 0 {
		f, n := nextServerFrame(p)
		if n == 0 {
			t.Fatalf("server sent an incomplete or masked frame: %x", p)
		}
		list = append(list, f)
		p = p[n:]
	}
	return list
}

// nextServerFrame returns the first frame of p and its size, 0 if it is
// incomplete or masked.
func nextServerFrame(p []byte) (f serverFrame, n int) {
	if len(p) < 2 || p[1]&0x80 != 0 {
		return f, 0
	}
	f.fin, f.rsv1, f.op = p[0]&0x80 != 0, p[0]&0x40 != 0, Opcode(p[0]&0x0F)
	n = 2
	length := uint64(p[1])
	switch {
	case length == 126 && len(p) >= 4:
		n, length = 4, uint64(binary.BigEndian.Uint16(p[2:]))
	case length == 127 && len(p) >= 10:
		n, length = 10, binary.BigEndian.Uint64(p[2:])
	case length >= 126:
		return f, 0
	}
	if uint64(len(p)-n) < length {
		return f, 0
	}
	end := n + int(length)
	f.payload = slices.Clone(p[n:end])
	return f, end
}

// closeCode returns the code in the last frame of p, which must be a close
// frame; 1005 if it has none.
func closeCode(t testing.TB, p []byte) (code int, reason string) {
	t.Helper()
	frames := serverFrames(t, p)
	if len(frames) == 0 || frames[len(frames)-1].op != 0x8 {
		t.Fatalf("no close frame at the end of %x", p)
	}
	payload := frames[len(frames)-1].payload
	if len(payload) == 0 {
		return 1005, ""
	}
	return int(binary.BigEndian.Uint16(payload)), string(payload[2:])
}
