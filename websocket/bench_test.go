package websocket

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/seed-09a96375/belfry/poll"
)

// sinkConn is a poll.Conn that does nothing, for measuring.
type sinkConn struct{ memoryConn }

func (*sinkConn) Send(poll.Frame) error { return nil }

// quietHandler is a Handler that does nothing.
type quietHandler struct{ bytes int }

func (h *quietHandler) Message(_ Opcode, p []byte) error {
	h.bytes += len(p)
	return nil
}

func (*quietHandler) Closed(int, error) {}

func quietSink(t testing.TB, o Options, deflate deflateAnswer) *sink {
	u := newTestUpgrader(t, o)
	c := newConn(u, Handshake{deflate: deflate}, new(sinkConn))
	c.h = new(quietHandler)
	return (*sink)(c)
}

// zeroKeyFrame has a key of zeros, so that unmasking in place, over and over,
// changes nothing.
func zeroKeyFrame(b0 byte, payload []byte) []byte {
	return maskedFrame(b0, [4]byte{}, payload)
}

func asciiPayload(n int) []byte { return bytes.Repeat([]byte("belfry: "), n/8+1)[:n] }

func BenchmarkParse(b *testing.B) {
	for _, n := range []int{32, 512, 4096} {
		b.Run(fmt.Sprintf("text=%d", n), func(b *testing.B) {
			benchmarkData(b, zeroKeyFrame(fin|1, asciiPayload(n)), 1)
		})
	}
	b.Run("text=512,not-ASCII", func(b *testing.B) {
		benchmarkData(b, zeroKeyFrame(fin|1, bytes.Repeat([]byte("größer: "), 52)), 1)
	})
	b.Run("binary=512", func(b *testing.B) {
		benchmarkData(b, zeroKeyFrame(fin|2, asciiPayload(512)), 1)
	})
	b.Run("text=32,many-per-read", func(b *testing.B) {
		benchmarkData(b, bytes.Repeat(zeroKeyFrame(fin|1, asciiPayload(32)), 100), 100)
	})
}

// benchmarkData reports the cost per frame; p holds that many.
func benchmarkData(b *testing.B, p []byte, frames int) {
	s := quietSink(b, Options{}, declined)
	b.ReportAllocs()
	b.SetBytes(int64(len(p) / frames))
	for n := 0; n < b.N; n += frames {
		if err := s.Data(p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParseSplit cuts each frame in two: it costs the state that an idle
// connection does not have.
func BenchmarkParseSplit(b *testing.B) {
	s := quietSink(b, Options{}, declined)
	p := zeroKeyFrame(fin|1, asciiPayload(512))
	b.ReportAllocs()
	for b.Loop() {
		_ = s.Data(p[:100])
		_ = s.Data(p[100:])
	}
}

func BenchmarkParseCompressed(b *testing.B) {
	s := quietSink(b, Options{Deflate: &DeflateOptions{}}, agreed)
	f := compressedFrame(b, string(compressibleText(512)))
	payload := bytes.Clone(f[6:])
	xorNaive(payload, testKey)
	p := zeroKeyFrame(fin|rsv1|1, payload)
	b.ReportAllocs()
	for b.Loop() {
		_ = s.Data(p)
	}
}

func BenchmarkUnmask(b *testing.B) {
	for _, n := range []int{7, 32, 512, 65536} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := asciiPayload(n)
			b.SetBytes(int64(n))
			for b.Loop() {
				unmask(p, 0)
			}
		})
	}
}

func BenchmarkAppendFrame(b *testing.B) {
	for _, n := range []int{32, 512} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			payload := asciiPayload(n)
			dst := make([]byte, 0, n+MaxHeader)
			b.ReportAllocs()
			for b.Loop() {
				dst = AppendFrame(dst[:0], Text, payload)
			}
		})
	}
}

func BenchmarkPutHeader(b *testing.B) {
	buf := make([]byte, MaxHeader+512)
	b.ReportAllocs()
	for b.Loop() {
		PutHeader(buf, MaxHeader, Text)
	}
}

func BenchmarkSend(b *testing.B) {
	s := quietSink(b, Options{}, declined)
	f := poll.Frame{Data: AppendFrame(nil, Text, asciiPayload(32))}
	b.ReportAllocs()
	for b.Loop() {
		_ = (*Conn)(s).Send(f)
	}
}

func BenchmarkCompressFrame(b *testing.B) {
	for _, level := range []int{1, 3, 6} {
		for _, n := range []int{512, 4096} {
			b.Run(fmt.Sprintf("level=%d/%d", level, n), func(b *testing.B) {
				payload := eventText(n)
				var size int
				b.ReportAllocs()
				for b.Loop() {
					frame, err := CompressFrame(Text, payload, level)
					if err != nil {
						b.Fatal(err)
					}
					size = len(frame)
				}
				b.ReportMetric(100*float64(size)/float64(n), "%size")
			})
		}
	}
}

// eventText is a Socket.IO event with some variety, as compressors meet it.
func eventText(n int) []byte {
	p := []byte(`42["orders",[`)
	for i := 0; len(p) < n; i++ {
		p = fmt.Appendf(p, `{"id":%d,"side":"%s","price":%d.%02d,"user":"user-%x","at":%d},`,
			i*7919, []string{"buy", "sell"}[i*i%3%2], i*i%977, i*31%100, i*48271%65521, 1700000000+i*i)
	}
	return p[:n]
}

// TestNoAllocations: what happens for each message and each delivery costs no
// memory.
func TestNoAllocations(t *testing.T) {
	s := quietSink(t, Options{}, declined)
	frame := poll.Frame{Data: AppendFrame(nil, Text, asciiPayload(32))}
	buf := make([]byte, MaxHeader, 1024)
	tests := []struct {
		name string
		f    func()
	}{
		{"32 byte text", dataOf(s, zeroKeyFrame(fin|1, asciiPayload(32)))},
		{"512 byte text", dataOf(s, zeroKeyFrame(fin|1, asciiPayload(512)))},
		{"512 byte text that is not ASCII", dataOf(s, zeroKeyFrame(fin|1, bytes.Repeat([]byte("größer: "), 52)))},
		{"100 messages in a read", dataOf(s, bytes.Repeat(zeroKeyFrame(fin|2, asciiPayload(32)), 100))},
		{"pong", dataOf(s, zeroKeyFrame(fin|0xA, asciiPayload(4)))},
		{"Send", func() { _ = (*Conn)(s).Send(frame) }},
		{"AppendFrame", func() { AppendFrame(buf[:0], Text, frame.Data) }},
		{"PutHeader", func() { PutHeader(buf, MaxHeader, Text) }},
	}
	for _, tt := range tests {
		if n := testing.AllocsPerRun(100, tt.f); n != 0 {
			t.Errorf("%s: %v allocations", tt.name, n)
		}
	}
	if (*Conn)(s).in != nil || (*Conn)(s).state.Load() != 0 {
		t.Error("the measured frames were not good ones")
	}
}

func dataOf(s *sink, p []byte) func() { return func() { _ = s.Data(p) } }
