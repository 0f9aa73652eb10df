package packet

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCheckJSONFault(t *testing.T) {
	tests := []struct {
		name, in string
		err      error
		at       int
	}{
		{"nothing", "", ErrJSON, 0},
		{"only space", " \t\r\n", ErrJSON, 4},
		{"form feed is no space", "\f1", ErrJSON, 0},
		{"deepest", strings.Repeat("[", 8) + strings.Repeat("]", 8), nil, 0},
		{"one deeper", strings.Repeat("[", 9) + strings.Repeat("]", 9), ErrDepth, 8},
		{"objects count", strings.Repeat(`{"a":`, 8) + "1" + strings.Repeat("}", 8), nil, 0},
		{"one object deeper", strings.Repeat(`{"a":`, 9) + "1" + strings.Repeat("}", 9), ErrDepth, 40},
		{"depth bomb without an end", strings.Repeat("[", 1<<20), ErrDepth, 8},
		{"siblings do not count", "[" + strings.Repeat("[[]],", 99) + "[[]]]", nil, 0},
		{"overlong form", "\"\xc0\xaf\"", ErrUTF8, 1},
		{"surrogate in UTF-8", "\"12345678\xed\xa0\x80\"", ErrUTF8, 9},
		{"cut off character", "\"\xf0\x9f\x98\"", ErrUTF8, 1},
		{"beyond Unicode", "\"\xf4\x90\x80\x80\"", ErrUTF8, 1},
		{"last character", "\"\U0010ffff\"", nil, 0},
		{"invalid UTF-8 outside of strings", "[1,\xff]", ErrUTF8, 3},
		{"quote in the ninth byte", `"12345678"`, nil, 0},
		{"control character behind a high byte", "\"\xc3\xa9\x01\"", ErrJSON, 3},
		{"escape at the end", `"\`, ErrJSON, 1},
		{"unicode escape cut off", `"\u00e`, ErrJSON, 1},
		{"minus alone", "-", ErrJSON, 0},
		{"exponent alone", "1e", ErrJSON, 0},
		{"exponent sign alone", "1e+", ErrJSON, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := checkJSON([]byte(tt.in), 8, 100)
			if tt.err == nil {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			e, ok := err.(*Error)
			if !ok || e.Err != tt.err || e.Offset != 100+tt.at {
				t.Errorf("got %v, want %v at byte %d", err, tt.err, 100+tt.at)
			}
		})
	}
}

// Every byte at every place of an eight-byte word, inside a string.
func TestCheckJSONEveryByte(t *testing.T) {
	for at := range 17 {
		for c := range 256 {
			in := bytes.Repeat([]byte{'x'}, 20)
			in[0], in[19], in[at+1] = '"', '"', byte(c)
			got := checkJSON(in, 8, 0) == nil
			if want := json.Valid(in) && utf8.Valid(in); got != want {
				t.Errorf("byte %#x at %d: valid %v, want %v", c, at, got, want)
			}
		}
	}
}

func FuzzCheckJSON(f *testing.F) {
	for _, c := range readCorpus[textCase](f, "text.json") {
		for _, p := range c.Out {
			f.Add([]byte(p.Data))
		}
		for _, text := range headers(c.In) {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		err := checkJSON(p, maxUnmarshalDepth, 0)
		if want := json.Valid(p) && utf8.Valid(p); (err == nil) != want {
			t.Errorf("%q: %v, want valid %v", p, err, want)
		}
	})
}
