package packet

import (
	"fmt"
	"strings"
	"testing"
)

func BenchmarkPayload(b *testing.B) {
	for _, size := range []int{64, 512, 4096} {
		body := AppendPayload(nil,
			Packet{Type: Message, Data: []byte(strings.Repeat("x", size))},
			Packet{Type: Message, Data: []byte(strings.Repeat("x", size))})
		b.Run(fmt.Sprintf("text=2x%d", size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				for _, err := range Payload(body) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func BenchmarkPayloadBase64(b *testing.B) {
	in := AppendPayload(nil, Packet{Type: Message, Binary: true, Data: make([]byte, 4096)})
	body := make([]byte, len(in))
	b.ReportAllocs()
	b.SetBytes(4096)
	for b.Loop() {
		copy(body, in) // it is overwritten
		for _, err := range Payload(body) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkPayloadV3(b *testing.B) {
	body := AppendPayloadV3(nil, Packet{Type: Message, Data: []byte(strings.Repeat("x", 512))})
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		for _, err := range PayloadV3(body) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkAppendPayload(b *testing.B) {
	p := Packet{Type: Message, Data: []byte(strings.Repeat("x", 512))}
	dst := make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendPayload(dst[:0], p, p)
	}
}
