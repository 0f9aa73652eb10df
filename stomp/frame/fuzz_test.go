package frame_test

import (
	"bytes"
	"testing"

	"github.com/seed-09a96375/belfry/stomp/frame"
)

// FuzzDecode: what was decoded says the same when it is encoded and decoded again.
func FuzzDecode(f *testing.F) {
	for _, e := range corpus(f) {
		f.Add([]byte(e.Raw), uint8(frame.ParseVersion(e.Version)))
	}
	f.Fuzz(func(t *testing.T, raw []byte, version uint8) {
		v := frame.Version(version%3) + frame.V10
		first, err := decode(bytes.Clone(raw), v)
		if err != nil {
			return
		}
		encoded := frame.Append(nil, &first, v)
		second, err := decode(bytes.Clone(encoded), v)
		if err != nil {
			t.Fatalf("%q is encoded as %q: %v", raw, encoded, err)
		}
		if third := frame.Append(nil, &second, v); !bytes.Equal(third, encoded) {
			t.Errorf("%q becomes %q, then %q", raw, encoded, third)
		}
		if first.Command != second.Command || !bytes.Equal(first.Body, second.Body) {
			t.Errorf("%q says something else as %q", raw, encoded)
		}
	})
}

// FuzzSplit: a frame ends at the same byte whether it comes whole or in pieces.
func FuzzSplit(f *testing.F) {
	for i, e := range corpus(f) {
		f.Add([]byte(e.Raw), uint8(i))
	}
	f.Fuzz(func(t *testing.T, raw []byte, step uint8) {
		var whole, pieces frame.Splitter
		want, wantErr := whole.Next(raw, limits)
		for n := 0; ; n += int(step) + 1 {
			n = min(n, len(raw))
			got, err := pieces.Next(raw[:n], limits)
			if got == 0 && err == nil && n < len(raw) {
				continue
			}
			if got != want || (err == nil) != (wantErr == nil) {
				t.Fatalf("%d, %v; whole: %d, %v", got, err, want, wantErr)
			}
			return
		}
	})
}
