package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"
)

// tape is a stream whose incoming bytes are given and whose outgoing are kept.
type tape struct {
	io.Reader
	bytes.Buffer
}

func (t *tape) Read(p []byte) (int, error) { return t.Reader.Read(p) }
func (t *tape) Close() error               { return nil }

func play(in ...byte) (*Conn, *tape) {
	t := &tape{Reader: bytes.NewReader(in)}
	return &Conn{stream: t, in: bufio.NewReader(t.Reader)}, t
}

func TestReadMessages(t *testing.T) {
	long := bytes.Repeat([]byte{7}, 300)
	c, _ := play(append([]byte{0x81, 2, 'h', 'i', 0x82, 126, 1, 44}, long...)...)
	for _, want := range []Frame{{Text, []byte("hi")}, {Binary, long}} {
		f, err := c.Read()
		if err != nil || f.Op != want.Op || !bytes.Equal(f.Data, want.Data) {
			t.Fatalf("read %v %x, %v", f.Op, f.Data, err)
		}
	}
}

func TestReadEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []byte
		code int
	}{
		{"close without status", []byte{0x88, 0}, NoStatus},
		{"close with status", []byte{0x88, 2, 3, 241}, 1009},
		{"no close frame", nil, Abnormal},
		{"cut inside a frame", []byte{0x81, 5, 'a'}, Abnormal},
		{"masked frame from a server", []byte{0x81, 0x80}, Abnormal},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, _ := play(c.in...)
			_, err := conn.Read()
			var end *CloseError
			if !errors.As(err, &end) || end.Code != c.code {
				t.Fatalf("ended with %v, want code %d", err, c.code)
			}
		})
	}
}

func TestWriteMasks(t *testing.T) {
	for _, n := range []int{0, 125, 126, 65535, 65536} {
		data := bytes.Repeat([]byte{0xAB}, n)
		c, out := play()
		if err := c.Write(Binary, data); err != nil {
			t.Fatal(err)
		}
		b := out.Bytes()
		head := len(b) - n
		key, masked := b[head-4:head], b[head:]
		for i := range masked {
			if masked[i]^key[i%4] != 0xAB {
				t.Fatalf("byte %d of %d is not masked with its key", i, n)
			}
		}
		if b[0] != 0x82 || b[1]&0x80 == 0 {
			t.Fatalf("header % x", b[:2])
		}
	}
}
