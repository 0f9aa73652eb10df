package packet

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAppendString(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", `""`},
		{"chat", `"chat"`},
		{"\"\\/\b\f\n\r\t\x00\x1f\x7f", `"\"\\/\b\f\n\r\t\u0000\u001f` + "\x7f\""},
		{"é€😀\u2028", "\"é€😀\u2028\""},
		{"a\xffb\xf0\x9f\x98", "\"a\uFFFDb\uFFFD\uFFFD\uFFFD\""},
		{"<&>", `"<&>"`},
	}
	for _, tt := range tests {
		if got := string(AppendString([]byte("x"), tt.in)); got != "x"+tt.want {
			t.Errorf("%q: got %s, want %s", tt.in, got, tt.want)
		}
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "chat", "é€😀", "\x00\"\\\n", "\xff\xed\xa0\x80", "\uFFFD"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted := AppendString(nil, s)
		var back string
		if err := json.Unmarshal(quoted, &back); err != nil {
			t.Fatalf("%q: %v", quoted, err)
		}
		if want := strings.Map(func(r rune) rune { return r }, s); back != want {
			t.Errorf("got %q back, want %q", back, want)
		}
		if err := checkJSON(quoted, 1, 0); err != nil {
			t.Errorf("%q: %v", quoted, err)
		}
		if got := string(unquote(quoted)); got != back {
			t.Errorf("unquote: got %q, want %q", got, back)
		}
	})
}

func FuzzUnquote(f *testing.F) {
	for _, s := range []string{`""`, `"a"`, `"\ud83d\ude00"`, `"\ud83d\ud83d\ude00"`, `"\u0000\\\""`, `"\/"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, quoted []byte) {
		var want string
		if !utf8.Valid(quoted) || len(quoted) == 0 || quoted[0] != '"' || json.Unmarshal(quoted, &want) != nil {
			return
		}
		quoted = quoted[:skipString(quoted, 0)] // without space behind
		if got := string(unquote(quoted)); got != want {
			t.Errorf("%q: got %q, want %q", quoted, got, want)
		}
	})
}

// encoding/json prints floats as JavaScript does.
func TestAppendNumber(t *testing.T) {
	for _, f := range []float64{
		0, 1, -1, 1.5, 100, 1e20, 1e21, -1e21, 123456789012345680000, 0.1, 1e-6, 1e-7, -1.5e-9,
		math.MaxFloat64, math.SmallestNonzeroFloat64, 1 << 53, 4.35, 1e100,
	} {
		want, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendNumber(nil, f)); got != string(want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := string(appendNumber(nil, math.Copysign(0, -1))); got != "0" {
		t.Errorf("minus zero: %s", got)
	}
}
