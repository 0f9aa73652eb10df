package frame_test

import (
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/seed-09a96375/belfry/stomp/frame"
)

// example is one entry of testdata/frames.json: a frame as it came, and what it
// says or what is wrong with it.
type example struct {
	Name    string
	Version string
	Raw     string
	Command string
	Headers [][2]string
	Body    string
	Again   string // what encoding it gives, if that is not Raw
	Error   string
}

func corpus(tb testing.TB) []example {
	tb.Helper()
	data, err := os.ReadFile("testdata/frames.json")
	if err != nil {
		tb.Fatal(err)
	}
	var all []example
	if err := json.Unmarshal(data, &all); err != nil {
		tb.Fatal(err)
	}
	if len(all) < 20 {
		tb.Fatalf("only %d examples", len(all))
	}
	return all
}

var limits = frame.Limits{}.WithDefaults()

// decode is what a server does: find the end, then decode.
func decode(raw []byte, v frame.Version) (frame.Frame, error) {
	var s frame.Splitter
	var f frame.Frame
	n, err := s.Next(raw, limits)
	if err != nil {
		return f, err
	}
	return f, frame.Decode(&f, raw[:n], v)
}

func TestCorpus(t *testing.T) {
	for _, e := range corpus(t) {
		t.Run(e.Name, func(t *testing.T) {
			v := frame.ParseVersion(e.Version)
			f, err := decode([]byte(e.Raw), v)
			if e.Error != "" {
				if err == nil || err.Error() != e.Error {
					t.Fatalf("error %v, want %s", err, e.Error)
				}
				if _, ok := errors.AsType[*frame.Fault](err); !ok {
					t.Errorf("%T is no *Fault", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			same(t, &f, e)
			again := e.Again
			if again == "" {
				again = e.Raw
			}
			if e.Version == "1.0" && e.Command == "CONNECT" {
				again = "CONNECT\nlogin:ann\npasscode:secret\n\n\x00"
			}
			if got := string(frame.Append(nil, &f, v)); got != again {
				t.Errorf("encoded\n%q, want\n%q", got, again)
			}
		})
	}
}

func same(t *testing.T, f *frame.Frame, e example) {
	t.Helper()
	if f.Command != e.Command || string(f.Body) != e.Body || len(f.Headers) != len(e.Headers) {
		t.Fatalf("decoded %s, %d headers, body %q", f.Command, len(f.Headers), f.Body)
	}
	for i, h := range e.Headers {
		if string(f.Headers[i].Name) != h[0] || string(f.Headers[i].Value) != h[1] {
			t.Errorf("header %d is %q:%q, want %q", i, f.Headers[i].Name, f.Headers[i].Value, h)
		}
	}
	for _, h := range e.Headers[:min(1, len(e.Headers))] {
		if f.Value(h[0]) != h[1] {
			t.Errorf("%s is %q: not the first", h[0], f.Value(h[0]))
		}
	}
}
