package packet

import (
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

func payload(n int) []byte {
	obj := `{"id":123456,"user":"alice","text":"hello there","ok":true},`
	s := `2["chat",{"id":12,"t":"hello"}`
	for len(s)+len(obj) < n-1 {
		s += "," + strings.TrimSuffix(obj, ",")
	}
	if d := n - len(s) - 4; d > 0 {
		s += `,"` + strings.Repeat("x", d) + `"`
	}
	return []byte(s + "]")
}

func BenchmarkDecode(b *testing.B) {
	for _, n := range []int{64, 512, 4096} {
		p := payload(n)
		b.Run("x", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(n))
			for b.Loop() {
				pk, err := Decode(p, Options{})
				if err != nil {
					b.Fatal(err, string(p))
				}
				EventName(pk.Data)
			}
		})
		b.Run("gjson", func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				gjson.ValidBytes(p[1:])
			}
		})
	}
}
