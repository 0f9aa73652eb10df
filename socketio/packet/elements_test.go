package packet

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
)

func TestEventName(t *testing.T) {
	tests := []struct{ name, data, want string }{
		{"plain", `["chat",1]`, "chat"},
		{"empty", `[""]`, ""},
		{"space", " [ \"chat\" ] ", "chat"},
		{"escapes", `["\"\\\/\b\f\n\r\t\u0041"]`, "\"\\/\b\f\n\r\tA"},
		{"surrogate pair", `["\ud83d\ude00"]`, "😀"},
		{"lone surrogates", `["\ud83dx\ude00\ud83d\u0041"]`, "\uFFFDx\uFFFD\uFFFDA"},
		{"escaped quote at the end", `["a\\\"","b"]`, `a\"`},
		{"integer", `[12]`, "12"},
		{"negative", `[-12]`, "-12"},
		{"minus zero", `[-0]`, "0"},
		{"float", `[1.50]`, "1.5"},
		{"integer as float", `[1.0]`, "1"},
		{"exponent", `[1e3]`, "1000"},
		{"small", `[0.0000001]`, "1e-7"},
		{"large", `[1e21]`, "1e+21"},
		{"more digits than a float has", `[12345678901234567890]`, "12345678901234567000"},
		{"infinite", `[1e999]`, "Infinity"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := EventName([]byte(tt.data))
			if err != nil || string(got) != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
	if got, err := EventName(nil); got != nil || err != nil {
		t.Errorf("no payload: got %q, %v", got, err)
	}
	for _, data := range []string{"", " ", "[", "[]", "{}", "[null]", "[[]]", `"x"`, "[,"} {
		if got, err := EventName([]byte(data)); err == nil {
			t.Errorf("%q: got %q and no error", data, got)
		}
	}
}

func TestSplit(t *testing.T) {
	data := []byte(` [ "a\"]" , [ 1 , [ ] ] ,{"k":"}"}, -1.5e+3,true,null , "" ] `)
	want := []string{`"a\"]"`, `[ 1 , [ ] ]`, `{"k":"}"}`, `-1.5e+3`, `true`, `null`, `""`}
	var got []string
	for _, e := range Split(nil, data) {
		got = append(got, string(e))
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Split(nil, nil); got != nil {
		t.Errorf("nil has elements: %q", got)
	}
	// Appending to an element must not write over the next.
	first := Split(nil, []byte(`[1,2]`))[0]
	if cap(first) != 1 {
		t.Errorf("capacity %d", cap(first))
	}
}

func TestElementsStopsEarly(t *testing.T) {
	n := 0
	for range Elements([]byte(`[1,2,3]`)) {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d elements", n)
	}
}

func FuzzElements(f *testing.F) {
	for _, c := range readCorpus[textCase](f, "text.json") {
		for _, p := range c.Out {
			f.Add([]byte(p.Data))
		}
	}
	for _, s := range []string{"[", "[,", `["`, `["\`, "[[", "[1", "[1,", "[}", `[""`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = EventName(data) // any bytes: no panic
		got := Split(nil, data)
		if i := slices.Collect(Elements(data)); len(i) != len(got) {
			t.Fatalf("Elements gives %d, Split %d", len(i), len(got))
		}
		var want []json.RawMessage
		if checkJSON(data, maxUnmarshalDepth, 0) != nil || json.Unmarshal(data, &want) != nil {
			return
		}
		if len(got) != len(want) {
			t.Fatalf("%q: %d elements, want %d", data, len(got), len(want))
		}
		for i := range want {
			if string(got[i]) != string(want[i]) {
				t.Errorf("element %d: %q, want %q", i, got[i], want[i])
			}
		}
	})
}
