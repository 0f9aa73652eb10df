package websocket

import (
	"bytes"
	"fmt"
	"testing"
)

var frameSizes = []int{0, 1, 125, 126, 127, 65535, 65536, 100_000}

func TestAppendFrame(t *testing.T) {
	for _, n := range frameSizes {
		payload := bytes.Repeat([]byte{'p'}, n)
		frame := AppendFrame([]byte("before"), Binary, payload)
		if !bytes.HasPrefix(frame, []byte("before")) {
			t.Fatalf("%d bytes: lost what stood before", n)
		}
		frame = frame[len("before"):]
		got, size := nextServerFrame(frame)
		if size != len(frame) || !got.fin || got.rsv1 || got.op != Binary || !bytes.Equal(got.payload, payload) {
			t.Errorf("%d bytes: a client reads %d of %d bytes", n, size, len(frame))
		}
		if want := HeaderLen(n) + n; size != want {
			t.Errorf("%d bytes: frame of %d, HeaderLen promises %d", n, size, want)
		}
	}
}

func TestAppendHeaderBits(t *testing.T) {
	tests := []struct {
		op        Opcode
		fin, rsv1 bool
		want      byte
	}{
		{Text, true, false, 0x81},
		{Binary, true, false, 0x82},
		{Text, false, false, 0x01},
		{Text, true, true, 0xC1},
		{Continuation, true, false, 0x80},
		{Ping, true, false, 0x89},
	}
	for _, tt := range tests {
		if got := AppendHeader(nil, tt.op, tt.fin, tt.rsv1, 3); !bytes.Equal(got, []byte{tt.want, 3}) {
			t.Errorf("%+v: got %x", tt, got)
		}
	}
}

func TestPutHeader(t *testing.T) {
	for _, n := range frameSizes {
		for _, headroom := range []int{HeaderLen(n), MaxHeader, MaxHeader + 7} {
			payload := bytes.Repeat([]byte{'p'}, n)
			buf := append(make([]byte, headroom), payload...)
			frame := PutHeader(buf, headroom, Text)
			if !bytes.Equal(frame, AppendFrame(nil, Text, payload)) {
				t.Errorf("%d bytes behind %d: not what AppendFrame makes", n, headroom)
			}
			if n > 0 && &frame[len(frame)-1] != &buf[len(buf)-1] {
				t.Errorf("%d bytes behind %d: copied", n, headroom)
			}
		}
	}
}

func ExamplePutHeader() {
	buf := make([]byte, MaxHeader, 64)
	buf = append(buf, "hello"...)
	fmt.Printf("%q\n", PutHeader(buf, MaxHeader, Text))
	// Output: "\x81\x05hello"
}

func ExampleAppendFrame() {
	fmt.Printf("%q\n", AppendFrame(nil, Text, []byte("hello")))
	// Output: "\x81\x05hello"
}
