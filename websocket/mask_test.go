package websocket

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// xorNaive is unmask as RFC 6455 section 5.3 words it.
func xorNaive(p []byte, key [4]byte) (ascii bool) {
	ascii = true
	for i := range p {
		p[i] ^= key[i%4]
		ascii = ascii && p[i] < 0x80
	}
	return ascii
}

func FuzzUnmask(f *testing.F) {
	f.Add([]byte(""), []byte{1, 2, 3, 4}, 0)
	f.Add([]byte("Hello"), []byte{0x37, 0xFA, 0x21, 0x3D}, 2)
	f.Add(bytes.Repeat([]byte("0123456789"), 20), []byte{0x80, 0, 0x80, 0}, 33)
	f.Fuzz(func(t *testing.T, p, k []byte, cut int) {
		var key [4]byte
		copy(key[:], k)
		want := bytes.Clone(p)
		wantASCII := xorNaive(want, key)
		if cut < 0 || cut > len(p) {
			cut = 0
		}
		word := binary.LittleEndian.Uint32(key[:])
		head := unmask(p[:cut], word)
		tail := unmask(p[cut:], advance(word, cut))
		if !bytes.Equal(p, want) || (head && tail) != wantASCII {
			t.Errorf("cut at %d: got %x, ASCII %v; want %x, ASCII %v", cut, p, head && tail, want, wantASCII)
		}
	})
}

// TestUnmaskASCII puts one byte that is not ASCII at every place.
func TestUnmaskASCII(t *testing.T) {
	for n := range 70 {
		for at := -1; at < n; at++ {
			p := bytes.Repeat([]byte{'a'}, n)
			if at >= 0 {
				p[at] = 0x80
			}
			xorNaive(p, testKey)
			if got := unmask(p, binary.LittleEndian.Uint32(testKey[:])); got != (at < 0) {
				t.Errorf("%d bytes, 0x80 at %d: ASCII %v", n, at, got)
			}
		}
	}
}
