package packet

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecodeMsgpackAliasesInput(t *testing.T) {
	in, err := AppendMsgpack(nil, &Packet{Type: Event, Data: []byte(`["b",{"_placeholder":true,"num":0}]`), Attachments: [][]byte{{1}}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := DecodeMsgpack(in, Options{})
	if err != nil {
		t.Fatal(err)
	}
	in[len(in)-1] = 2
	if p.Attachments[0][0] != 2 {
		t.Error("the attachment is a copy")
	}
}

func TestDecodeMsgpackLimits(t *testing.T) {
	in, err := AppendMsgpack(nil, &Packet{Type: Event, Data: []byte(`["b",[[1]],{"_placeholder":true,"num":0}]`), Attachments: [][]byte{make([]byte, 10)}})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		o    Options
		want error
	}{
		{Options{MaxDepth: 3, MaxBytes: 10, MaxAttachments: 1}, nil},
		{Options{MaxDepth: 2}, ErrDepth},
		{Options{MaxBytes: 9}, ErrTooLarge},
	}
	for _, tt := range tests {
		_, err := DecodeMsgpack(in, tt.o)
		if got := reason(t, err); tt.want != nil && got != tt.want.Error() || tt.want == nil && err != nil {
			t.Errorf("%+v: got %v, want %v", tt.o, err, tt.want)
		}
	}
}

func TestMaxAttachmentsNone(t *testing.T) {
	none := Options{MaxAttachments: -1}
	p := Packet{Type: Event, Data: []byte(`["b",{"_placeholder":true,"num":0}]`), Attachments: [][]byte{{1}}}
	if _, err := Decode(Append(nil, &p), none); reason(t, err) != ErrAttachments.Error() {
		t.Errorf("text: %v", err)
	}
	in, err := AppendMsgpack(nil, &p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeMsgpack(in, none); reason(t, err) != ErrAttachments.Error() {
		t.Errorf("msgpack: %v", err)
	}
}

// Repeated keys must not cost more than their bytes.
func TestDecodeMsgpackRepeatedKeys(t *testing.T) {
	const n = 1000
	in := []byte{0xde, (2*n + 2) >> 8, (2*n + 2) & 0xff}
	for range n {
		in = append(in, "\xa4data\xd4\x00\x00\xa4data\x91\xa1x"...)
	}
	in = append(in, "\xa4type\x02\xa3nsp\xa1/"...)
	allocs := testing.AllocsPerRun(10, func() {
		if p, err := DecodeMsgpack(in, Options{}); err != nil || string(p.Data) != `["x"]` {
			t.Fatalf("got %s, %v", p.Data, err)
		}
	})
	if allocs > 2 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestAppendMsgpackErrors(t *testing.T) {
	one := [][]byte{{1}}
	tests := []struct {
		name string
		p    Packet
		want error
	}{
		{"invalid JSON", Packet{Type: Event, Data: []byte(`["x"`)}, ErrJSON},
		{"empty, not nil", Packet{Type: Event, Data: []byte{}}, ErrJSON},
		{"placeholder for no attachment", Packet{Type: Event, Data: []byte(`["x",{"_placeholder":true,"num":1}]`), Attachments: one}, ErrPlaceholder},
	}
	for _, tt := range tests {
		if got, err := AppendMsgpack([]byte("x"), &tt.p); reason(t, err) != tt.want.Error() || string(got) != "x" {
			t.Errorf("%s: got %q, %v", tt.name, got, err)
		}
	}
}

func TestAppendMsgpackNumbers(t *testing.T) {
	tests := []struct{ json, hex string }{
		{"0", "00"},
		{"-0", "00"},
		{"1.0", "01"},
		{"1e2", "64"},
		{"128", "cc80"},
		{"-1e0", "ff"},
		{"-33.0", "d0df"},
		{"18446744073709551615", "cfffffffffffffffff"},
		{"18446744073709551616", "cb43f0000000000000"},
		{"-9223372036854775808", "d38000000000000000"},
		{"-9223372036854775809", "cbc3e0000000000000"},
		{"9007199254740993", "cf0020000000000001"},
		{"9007199254740992.0", "cf0020000000000000"},
		{"1e300", "cb7e37e43c8800759c"},
		{"0.5", "cb3fe0000000000000"},
		{"1e999", "cb7ff0000000000000"},
	}
	for _, tt := range tests {
		w := packer{}
		w.number([]byte(tt.json))
		if got := string(w.dst); got != string(unhex(t, tt.hex)) {
			t.Errorf("%s: got %x, want %s", tt.json, got, tt.hex)
		}
	}
}

func TestAppendMsgpackWithoutPayload(t *testing.T) {
	for typ, want := range map[Type]string{Event: "[]", Ack: "[]", Disconnect: "", Connect: ""} {
		b, err := AppendMsgpack(nil, &Packet{Type: typ})
		if err != nil {
			t.Fatal(err)
		}
		u := unpacker{p: b, o: Options{}.withDefaults()}
		p, hasData := u.packet()
		if u.err != nil || p.Type != typ || p.Namespace != "/" || string(p.Data) != want || hasData != (want != "") {
			t.Errorf("%v: got %+v, %v", typ, p, u.err)
		}
	}
}

func FuzzDecodeMsgpack(f *testing.F) {
	for _, c := range readCorpus[msgpackCase](f, "msgpack.json") {
		f.Add(unhex(f, c.Hex))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := DecodeMsgpack(in, Options{})
		if err != nil {
			reason(t, err)
			return
		}
		if p.Data != nil && (!json.Valid(p.Data) || !utf8.Valid(p.Data)) {
			t.Fatalf("invalid JSON: %q", p.Data)
		}
		out, err := AppendMsgpack(nil, &p)
		if err != nil {
			t.Fatal(err)
		}
		q, err := DecodeMsgpack(out, Options{})
		if err != nil || !reflect.DeepEqual(readable(p), readable(q)) {
			t.Errorf("\n got %+v, %v\nwant %+v", readable(q), err, readable(p))
		}
		// The text form, too, is one that decoders accept.
		if _, err := Decode(Append(nil, &p), Options{}); err != nil && p.Count > 0 {
			t.Errorf("as text: %v", err)
		}
	})
}

// FuzzAppendMsgpack turns text packets to msgpack and back.
func FuzzAppendMsgpack(f *testing.F) {
	for _, c := range readCorpus[textCase](f, "text.json") {
		for _, text := range headers(c.In) {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Decode(text, Options{})
		if err != nil || p.Data == nil {
			return
		}
		for i := range p.Count {
			p.Attachments = append(p.Attachments, []byte{byte(i)})
		}
		b, err := AppendMsgpack(nil, &p)
		if err != nil {
			t.Fatal(err)
		}
		q, err := DecodeMsgpack(b, Options{})
		if err != nil && endlessName(t, p) {
			return
		}
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if q.Namespace != p.Namespace || q.ID != p.ID || q.Type.Plain() != p.Type.Plain() {
			t.Errorf("got %+v, want %+v", q, p)
		}
		if got, want := meaning(t, q), meaning(t, p); !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n got %#v\nwant %#v", text, got, want)
		}
	})
}

// endlessName reports whether the event's name is a number too large for a float64:
// infinite in JavaScript and in msgpack, null when printed as JSON, and null is no
// name.
func endlessName(t *testing.T, p Packet) bool {
	t.Helper()
	var args []any
	d := json.NewDecoder(strings.NewReader(string(p.Data)))
	d.UseNumber()
	if d.Decode(&args) != nil || len(args) == 0 {
		return false
	}
	name, ok := args[0].(json.Number)
	if !ok {
		return false
	}
	_, err := name.Float64()
	return errors.Is(err, strconv.ErrRange)
}

// meaning returns the payload as Go values, attachments in their places, numbers
// as JavaScript knows them.
func meaning(t *testing.T, p Packet) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(p.Data)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return replacePlaceholders(v, p.Attachments)
}

func replacePlaceholders(v any, attachments [][]byte) any {
	switch v := v.(type) {
	case json.Number:
		f, _ := v.Float64()
		if math.IsInf(f, 0) {
			return nil
		}
		return f
	case []any:
		for i := range v {
			v[i] = replacePlaceholders(v[i], attachments)
		}
	case map[string]any:
		if v["_placeholder"] == true && len(attachments) > 0 {
			i, _ := v["num"].(json.Number).Float64()
			return attachments[int(i)]
		}
		for k := range v {
			v[k] = replacePlaceholders(v[k], attachments)
		}
	}
	return v
}
