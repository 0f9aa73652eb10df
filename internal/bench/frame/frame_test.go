package frame

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

func TestNextReadsWhatAServerSends(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 1<<16 - 1, 1 << 16, 1<<16 + 1} {
		data := bytes.Repeat([]byte("x"), n)
		p := AppendServer(nil, Text, data)
		f, took, err := Next(append(p, "rest"...))
		if err != nil || took != len(p) || f.Op != Text || !f.Fin || !bytes.Equal(f.Data, data) {
			t.Errorf("%d bytes: frame of %d, took %d of %d, %v", n, len(f.Data), took, len(p), err)
		}
		for _, cut := range []int{0, 1, 2, 3, 9, len(p) - 1} {
			if cut >= len(p) {
				continue
			}
			if _, took, err := Next(p[:cut]); took != 0 || err != nil {
				t.Errorf("%d bytes, cut to %d: took %d, %v; want to wait", n, cut, took, err)
			}
		}
	}
}

func TestNextRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		bytes string
		want  error
	}{
		"masked":             {"\x81\x80\x00\x00\x00\x00", ErrMasked},
		"reserved bit":       {"\xc1\x00", ErrReserved},
		"reserved opcode":    {"\x83\x00", ErrReserved},
		"reserved control":   {"\x8b\x00", ErrReserved},
		"fragmented control": {"\x09\x00", ErrControl},
		"long control":       {"\x89\x7e\x00\x7e" + strings.Repeat("x", 126), ErrControl},
		"too long":           {"\x82\x7f\x00\x00\x00\x00\x01\x00\x00\x01", ErrTooLong},
		"absurdly long":      {"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", ErrTooLong},
	} {
		if _, _, err := Next([]byte(c.bytes)); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

// unmask reads a client's frame the simple way.
func unmask(t *testing.T, p []byte) []byte {
	t.Helper()
	if p[1]&0x80 == 0 {
		t.Fatal("not masked")
	}
	p = append([]byte{p[0], p[1] &^ 0x80}, p[2:]...)
	_, head := dataLength(p)
	key, data := p[head:head+4], bytes.Clone(p[head+4:])
	for i := range data {
		data[i] ^= key[i%4]
	}
	return data
}

func TestAppendMasks(t *testing.T) {
	for _, n := range []int{0, 1, 3, 7, 8, 9, 17, 125, 126, 1000, 1 << 16} {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(i)
		}
		p := Append([]byte("before"), Binary, 0x12345678, data)[len("before"):]
		if got := unmask(t, p); !bytes.Equal(got, data) {
			t.Errorf("%d bytes: got %x", n, got)
		}
		if n > 8 && bytes.Contains(p, data) {
			t.Errorf("%d bytes are not masked", n)
		}
	}
}

func FuzzNext(f *testing.F) {
	f.Add([]byte("\x81\x05hello\x89\x00"))
	f.Add([]byte("\x01\x02he\x80\x03llo"))
	f.Add([]byte("\x81\x7e\x00\x80"))
	f.Add([]byte("\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"))
	f.Fuzz(func(t *testing.T, p []byte) {
		frame, n, err := Next(p)
		if err != nil || n == 0 {
			return
		}
		if n > len(p) || len(frame.Data) > n {
			t.Fatalf("took %d of %d bytes for %d", n, len(p), len(frame.Data))
		}
		if !frame.Fin || !minimal(p, len(frame.Data)) {
			return
		}
		if again := AppendServer(nil, frame.Op, frame.Data); !bytes.Equal(again, p[:n]) {
			t.Errorf("%x is written again as %x", p[:n], again)
		}
	})
}

// minimal reports whether the length is written in its shortest form.
func minimal(p []byte, n int) bool {
	switch p[1] {
	case 126:
		return n >= 126
	case 127:
		return binary.BigEndian.Uint64(p[2:]) >= 1<<16
	}
	return true
}

func BenchmarkNext(b *testing.B) {
	p := AppendServer(nil, Text, make([]byte, 140))
	for b.Loop() {
		if _, _, err := Next(p); err != nil {
			b.Fatal(err)
		}
	}
}
