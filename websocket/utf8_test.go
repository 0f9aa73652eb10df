package websocket

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestValidPrefix(t *testing.T) {
	tests := []struct {
		name, in string
		n        int
		ok       bool
	}{
		{"nothing", "", 0, true},
		{"ASCII", "abc", 3, true},
		{"whole character", "aé", 3, true},
		{"half of two", "a\xC3", 1, true},
		{"one of three", "a\xE2", 1, true},
		{"two of three", "a\xE2\x82", 1, true},
		{"one of four", "a\xF0", 1, true},
		{"three of four", "a\xF0\x9F\x98", 1, true},
		{"fault inside", "a\xFFb", 3, false},
		{"lonely continuation at the end", "a\x80", 2, false},
		{"two continuations at the end", "a\x80\x80", 3, false},
		{"lead that never is right", "a\xC0", 2, false},
		{"beginning of an overlong form", "a\xE0\x80", 3, false},
		{"beginning of a surrogate", "a\xED\xA0", 3, false},
		{"beginning beyond U+10FFFF", "a\xF4\x90", 3, false},
		{"fault before an unfinished character", "\xFF\xE2\x82", 1, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if n, ok := validPrefix([]byte(tt.in)); n != tt.n || ok != tt.ok {
				t.Errorf("got %d, %v; want %d, %v", n, ok, tt.n, tt.ok)
			}
		})
	}
}

// FuzzValidPrefix compares with a search: p is hopeless if no completion of its
// last character makes it valid.
func FuzzValidPrefix(f *testing.F) {
	for _, s := range []string{"", "abc", "\xE2\x82", "\xF0\x9F\x98", "\xED\xA0", "\xF4\x90", "a\xC3", "\xE0"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		n, ok := validPrefix(p)
		if want := completable(p); ok != want {
			t.Errorf("%x: ok is %v, want %v", p, ok, want)
		}
		if ok && (!utf8.Valid(p[:n]) || len(p)-n >= utf8.UTFMax || utf8.Valid(p) && n != len(p)) {
			t.Errorf("%x: prefix of %d", p, n)
		}
	})
}

// completable reports whether some bytes after p make it valid. The edges of
// the range of each next byte are enough.
func completable(p []byte) bool {
	for _, more := range []string{"", "\x80", "\xBF", "\x80\x80", "\xBF\x80", "\x80\x80\x80", "\xBF\x80\x80", "\x90\x80\x80", "\x8F\x80\x80"} {
		if utf8.ValidString(string(p) + more) {
			return true
		}
	}
	return false
}

func TestCutReason(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"short", "going away", "going away"},
		{"just fits", strings.Repeat("r", 123), strings.Repeat("r", 123)},
		{"too long", strings.Repeat("r", 124), strings.Repeat("r", 123)},
		{"cut before a character", strings.Repeat("r", 122) + "é", strings.Repeat("r", 122)},
		{"not UTF-8", "abc\xFFdef", "abc"},
		{"replacement character is text", "abc\uFFFDdef", "abc\uFFFDdef"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := cutReason(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
