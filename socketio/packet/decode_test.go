package packet

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

func TestDecodeFault(t *testing.T) {
	tests := []struct {
		name, in string
		err      error
		at       int
	}{
		{"empty", "", ErrEmpty, 0},
		{"type before the digits", "/", ErrType, 0},
		{"invalid UTF-8 in the payload", "2[\"a\xff\"]", ErrUTF8, 4},
		{"invalid UTF-8 in the namespace", "0/a\xff,", ErrUTF8, 1},
		{"payload of a connect", "0/ab,[]", ErrPayload, 5},
		{"name", `2/ab,12["ok"`, ErrJSON, 12},
		{"reserved", `2/ab,12[ "connect"]`, ErrReserved, 9},
		{"nested too deep", "2[" + strings.Repeat("[", 512), ErrDepth, 513},
		{"placeholder", `51-["b",{"_placeholder":true,"num":1}]`, ErrPlaceholder, 8},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Decode([]byte(tt.in), Options{})
			e, ok := err.(*Error)
			if !ok || e.Err != tt.err || e.Offset != tt.at {
				t.Errorf("got %v, want %v at byte %d", err, tt.err, tt.at)
			}
			if !reflect.DeepEqual(p, Packet{}) {
				t.Errorf("a packet beside the error: %+v", p)
			}
		})
	}
}

func TestDecodeDeepest(t *testing.T) {
	text := []byte(`2["x",` + strings.Repeat("[", 511) + strings.Repeat("]", 511) + "]")
	if _, err := Decode(text, Options{}); err != nil {
		t.Error(err)
	}
	if _, err := Decode(text, Options{MaxDepth: 511}); err == nil {
		t.Error("one level too many was accepted")
	}
}

func TestDecodeAliasesText(t *testing.T) {
	text := []byte(`2["x"]`)
	p, err := Decode(text, Options{})
	if err != nil {
		t.Fatal(err)
	}
	text[3] = 'y'
	if string(p.Data) != `["y"]` {
		t.Errorf("Data is a copy: %s", p.Data)
	}
}

func TestDecodeIntern(t *testing.T) {
	known := map[string]string{"/admin": "/admin"}
	o := Options{Intern: func(name []byte) string {
		if s, ok := known[string(name)]; ok {
			return s
		}
		return string(name)
	}}
	for _, text := range []string{`2["chat",{"text":"hello","n":[1,2,3]}]`, `2/admin,12["chat","hi"]`, `312["ok"]`, `0`, `1/admin,`} {
		in := []byte(text)
		if n := testing.AllocsPerRun(100, func() {
			p, err := Decode(in, o)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := EventName(p.Data); err != nil && p.Type == Event {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
	if p, err := Decode([]byte(`0/other,`), o); err != nil || p.Namespace != "/other" {
		t.Errorf("got %q, %v", p.Namespace, err)
	}
}

func TestTypeNames(t *testing.T) {
	if got := BinaryAck.String(); got != "BINARY_ACK" {
		t.Error(got)
	}
	if got := Type(7).String(); got != "UNKNOWN" {
		t.Error(got)
	}
	for typ, want := range map[Type]Type{Event: Event, BinaryEvent: Event, BinaryAck: Ack, ConnectError: ConnectError} {
		if got := typ.Plain(); got != want {
			t.Errorf("%v: %v", typ, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range readCorpus[textCase](f, "text.json") {
		for _, text := range headers(c.In) {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Decode(text, Options{})
		if err != nil {
			reason(t, err)
			return
		}
		// Encoded, it decodes to the same, and from then on nothing changes.
		for range p.Count {
			p.Attachments = append(p.Attachments, []byte{1})
		}
		once := Append(nil, &p)
		q, err := Decode(once, Options{})
		if err != nil {
			t.Fatalf("%q, from %q: %v", once, text, err)
		}
		q.Attachments = p.Attachments
		if !reflect.DeepEqual(p, q) {
			t.Errorf("got %+v\nwant %+v", q, p)
		}
		if twice := Append(nil, &q); !bytes.Equal(once, twice) {
			t.Errorf("got %q, want %q", twice, once)
		}
	})
}
