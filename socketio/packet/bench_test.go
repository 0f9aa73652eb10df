package packet

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// event returns the text of an event with about size bytes: a name and objects
// with short keys, numbers and some text, as chats and positions have.
func event(size int) []byte {
	const object = `,{"id":123456,"user":"alice","text":"hello there, how are you?","ok":true}`
	text := `2["chat"`
	for len(text)+len(object)+1 <= size {
		text += object
	}
	if rest := size - len(text) - len(`,""]`); rest >= 0 {
		text += `,"` + strings.Repeat("x", rest) + `"`
	}
	return []byte(text + "]")
}

// cyrillic returns an event that is mostly text outside ASCII.
func cyrillic(size int) []byte {
	return []byte(`2["chat","` + strings.Repeat("привет ", size/13) + `"]`)
}

var sizes = []int{64, 512, 4096}

func BenchmarkDecode(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprintf("objects=%d", size), func(b *testing.B) { benchDecode(b, event(size)) })
	}
	b.Run("text=4096", func(b *testing.B) { benchDecode(b, []byte(`2["chat","`+strings.Repeat("hello ", 680)+`"]`)) })
	b.Run("cyrillic=4096", func(b *testing.B) { benchDecode(b, cyrillic(4096)) })
	b.Run("binary", func(b *testing.B) {
		benchDecode(b, []byte(`52-/admin,456["bin",{"_placeholder":true,"num":0},{"b":{"_placeholder":true,"num":1}}]`))
	})
}

// benchDecode is what a server does with every event: decode, look at the name.
func benchDecode(b *testing.B, text []byte) {
	o := Options{Intern: func([]byte) string { return "/admin" }}
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		p, err := Decode(text, o)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := EventName(p.Data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSplit(b *testing.B) {
	data := event(512)[1:]
	var args []json.RawMessage
	b.ReportAllocs()
	for b.Loop() {
		args = Split(args[:0], data)
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, size := range sizes {
		p := Packet{Type: Event, Namespace: "/chat", ID: 12, HasID: true, Data: event(size)[1:]}
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			dst := make([]byte, 0, 2*size)
			b.ReportAllocs()
			for b.Loop() {
				dst = Append(dst[:0], &p)
			}
		})
	}
	b.Run("offset", func(b *testing.B) {
		dst, data := make([]byte, 0, 1024), event(512)[1:]
		b.ReportAllocs()
		for b.Loop() {
			dst = AppendOffset(AppendHeader(dst[:0], Event, 0, "/chat", 0, false), data, "1795359242395-0")
		}
	})
}

func BenchmarkAppendEvent(b *testing.B) {
	type message struct {
		User string `json:"user"`
		Text string `json:"text"`
		N    int    `json:"n"`
	}
	type upload struct {
		Name string `json:"name"`
		Data []byte `json:"data"`
	}
	payload := make([]byte, 1024)
	for _, c := range []struct {
		name string
		args []any
	}{
		{"scalars", []any{"hello there", 12, true}},
		{"raw", []any{json.RawMessage(`{"user":"alice","text":"hello there"}`)}},
		{"struct", []any{message{"alice", "hello there", 12}}},
		{"bytes", []any{payload}},
		{"struct with bytes", []any{upload{"a.png", payload}}},
		{"map with bytes", []any{map[string]any{"name": "a.png", "data": payload}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			dst := make([]byte, 0, 1024)
			attachments := make([][]byte, 0, 4)
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if dst, attachments, err = AppendEvent(dst[:0], attachments[:0], "chat", c.args...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	type upload struct {
		Name string `json:"name"`
		Data []byte `json:"data"`
	}
	attachments := [][]byte{make([]byte, 1024)}
	b.Run("bytes", func(b *testing.B) {
		raw := json.RawMessage(`{"_placeholder":true,"num":0}`)
		b.ReportAllocs()
		for b.Loop() {
			var v []byte
			if err := Unmarshal(raw, attachments, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("struct", func(b *testing.B) {
		raw := json.RawMessage(`{"name":"a.png","data":{"_placeholder":true,"num":0}}`)
		b.ReportAllocs()
		for b.Loop() {
			var v upload
			if err := Unmarshal(raw, attachments, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkMsgpack(b *testing.B) {
	for _, size := range sizes {
		p := Packet{Type: Event, Namespace: "/", Data: event(size)[1:]}
		packed, err := AppendMsgpack(nil, &p)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("decode=%d", size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(packed)))
			for b.Loop() {
				if _, err := DecodeMsgpack(packed, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("append=%d", size), func(b *testing.B) {
			dst := make([]byte, 0, 2*size)
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				if dst, err = AppendMsgpack(dst[:0], &p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
