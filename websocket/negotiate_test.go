package websocket

import (
	"strings"
	"testing"
)

const (
	answerPlain  = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	answerWindow = answerPlain + "; server_max_window_bits=15"
)

func TestChooseDeflate(t *testing.T) {
	tests := []struct{ name, offer, want string }{
		{"nothing", "", ""},
		{"plain", "permessage-deflate", answerPlain},
		{"as browsers do", "permessage-deflate; client_max_window_bits", answerPlain},
		{"client window", "permessage-deflate; client_max_window_bits=8", answerPlain},
		{"quoted client window", `permessage-deflate; client_max_window_bits="10"`, answerPlain},
		{"no takeover", "permessage-deflate; server_no_context_takeover; client_no_context_takeover", answerPlain},
		{"server window of 15", "permessage-deflate; server_max_window_bits=15", answerWindow},
		{"server window of 10", "permessage-deflate; server_max_window_bits=10", ""},
		{"fallback offer", "permessage-deflate; server_max_window_bits=10, permessage-deflate", answerPlain},
		{"other extension first", "x-webkit-deflate-frame, permessage-deflate", answerPlain},
		{"white space", "\tpermessage-deflate ;  client_max_window_bits = 9 , ,", answerPlain},
		{"server window without value", "permessage-deflate; server_max_window_bits", ""},
		{"window of 7", "permessage-deflate; client_max_window_bits=7", ""},
		{"window of 16", "permessage-deflate; client_max_window_bits=16", ""},
		{"window with leading zero", "permessage-deflate; client_max_window_bits=08", ""},
		{"takeover with value", "permessage-deflate; server_no_context_takeover=1", ""},
		{"unknown parameter", "permessage-deflate; fast", ""},
		{"repeated parameter", "permessage-deflate; client_max_window_bits; client_max_window_bits=9", ""},
		{"name in capitals", "Permessage-Deflate", ""},
	}
	u := newTestUpgrader(t, Options{Deflate: &DeflateOptions{}})
	off := newTestUpgrader(t, Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := goodRequest()
			r.Header.Set("Sec-WebSocket-Extensions", tt.offer)
			h, err := u.Check(r)
			if err != nil {
				t.Fatal(err)
			}
			if got := h.deflate.String(); got != tt.want {
				t.Errorf("answer %q, want %q", got, tt.want)
			}
			if h, err := off.Check(r); err != nil || h.deflate != declined {
				t.Errorf("switched off: %v, %v", h.deflate, err)
			}
		})
	}
}

func TestParseExtensionsRefuses(t *testing.T) {
	for _, s := range []string{
		";", "a;", "a;;b", "a; =", "a; b=", "a; b==c", `a; b="`, `a; b="c`, `a; b=""`, `a; b="c d"`, `a; b="c\`, "a b", "a; b c", `a; b="c"d`, "a, ;", "ä",
	} {
		if got, err := parseExtensions(s); err == nil {
			t.Errorf("%q: got %+v", s, got)
		}
	}
}

// FuzzParseExtensions: what was understood, written out, is understood alike.
func FuzzParseExtensions(f *testing.F) {
	for _, s := range []string{
		"", ",", "a", "a, b; c; d=e", `a; b="c"`, `a; b="\c"`, "permessage-deflate; client_max_window_bits, x", "a;", `a; b="`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, err := parseExtensions(s)
		if err != nil {
			return
		}
		for _, e := range list {
			answerOffer(e)
		}
		written := writeExtensions(t, list)
		again, err := parseExtensions(written)
		if err != nil || writeExtensions(t, again) != written {
			t.Errorf("%q: wrote %q, read %+v, %v", s, written, again, err)
		}
	})
}

func writeExtensions(t *testing.T, list []extension) string {
	var b strings.Builder
	for i, e := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(e.name)
		for _, p := range e.params {
			if !isToken(p.name) || p.valued && !isToken(p.value) {
				t.Errorf("parameter %+v", p)
			}
			b.WriteString("; " + p.name)
			if p.valued {
				b.WriteString("=" + p.value)
			}
		}
	}
	return b.String()
}
