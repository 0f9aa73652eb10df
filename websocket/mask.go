package websocket

import (
	"encoding/binary"
	"math/bits"
)

// highBits is set in a word of which some byte is not ASCII.
const highBits = 0x8080808080808080

// unmask xors p in place with key, whose lowest byte belongs to p[0]. It
// reports whether the result is ASCII: that falls off here and spares most
// texts the UTF-8 check.
func unmask(p []byte, key uint32) (ascii bool) {
	k := uint64(key)<<32 | uint64(key)
	var seen uint64
	for len(p) >= 32 {
		b := p[:32:32]
		w0 := binary.LittleEndian.Uint64(b[0:8]) ^ k
		w1 := binary.LittleEndian.Uint64(b[8:16]) ^ k
		w2 := binary.LittleEndian.Uint64(b[16:24]) ^ k
		w3 := binary.LittleEndian.Uint64(b[24:32]) ^ k
		binary.LittleEndian.PutUint64(b[0:8], w0)
		binary.LittleEndian.PutUint64(b[8:16], w1)
		binary.LittleEndian.PutUint64(b[16:24], w2)
		binary.LittleEndian.PutUint64(b[24:32], w3)
		seen |= w0 | w1 | w2 | w3
		p = p[32:]
	}
	for len(p) >= 8 {
		w := binary.LittleEndian.Uint64(p) ^ k
		binary.LittleEndian.PutUint64(p, w)
		seen |= w
		p = p[8:]
	}
	for i := range p {
		p[i] ^= byte(k)
		seen |= uint64(p[i])
		k >>= 8
	}
	return seen&highBits == 0
}

// advance returns the key for what follows n bytes that were unmasked with key.
func advance(key uint32, n int) uint32 {
	return bits.RotateLeft32(key, -8*(n%4))
}
