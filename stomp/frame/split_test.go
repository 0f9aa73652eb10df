package frame_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/stomp/frame"
)

// TestFramesInPieces gives every example byte by byte, and all of them in one.
func TestFramesInPieces(t *testing.T) {
	var stream []byte
	var want []string
	for _, e := range corpus(t) {
		if e.Error != "" {
			continue
		}
		raw := []byte(e.Raw)
		var s frame.Splitter
		for n := range raw {
			if size, err := s.Next(raw[:n], limits); size != 0 || err != nil {
				t.Fatalf("%s: %d of %d bytes give %d, %v", e.Name, n, len(raw), size, err)
			}
		}
		if size, err := s.Next(raw, limits); size != len(raw) || err != nil {
			t.Fatalf("%s: size %d of %d, %v", e.Name, size, len(raw), err)
		}
		stream = append(append(stream, raw...), "\n\r\n"...)
		want = append(want, e.Raw)
	}
	var s frame.Splitter
	var got []string
	for len(stream) > 0 {
		n, err := s.Next(stream, limits)
		if err != nil || n == 0 {
			t.Fatalf("after %d frames: %d, %v", len(got), n, err)
		}
		got = append(got, string(stream[:n]))
		stream = stream[n:]
		stream = stream[frame.EOLs(stream):]
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("split into\n%q, want\n%q", got, want)
	}
}

func TestLimits(t *testing.T) {
	l := frame.Limits{MaxHeaderBytes: 40, MaxHeaders: 2, MaxBody: 5}
	for raw, want := range map[string]error{
		"SEND\na:b\nc:d\n\n12345\x00":                 nil,
		"SEND\na:b\nc:d\ne:f\n\n\x00":                 frame.ErrHeadersNumber,
		"SEND\na:" + strings.Repeat("b", 40):          frame.ErrHeadersSize,
		"SEND\na:" + strings.Repeat("b", 40) + "\n\n": frame.ErrHeadersSize,
		"SEND\n\n123456":                              frame.ErrBodySize,
		"SEND\n\n123456\x00":                          frame.ErrBodySize,
		"SEND\ncontent-length:6\n":                    frame.ErrBodySize,
	} {
		var s frame.Splitter
		n, err := s.Next([]byte(raw), l)
		if !errors.Is(err, want) || want == nil && n != len(raw) {
			t.Errorf("%q: %d, %v, want %v", raw, n, err, want)
		}
	}
}

func TestEOLs(t *testing.T) {
	for s, want := range map[string]int{"": 0, "\n": 1, "\r\n\nSEND": 3, "\r": 0, "\n\r": 1, "SEND\n": 0} {
		if got := frame.EOLs([]byte(s)); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}

// TestWhatCannotBeWritten: a header must not become two.
func TestWhatCannotBeWritten(t *testing.T) {
	for v, want := range map[frame.Version]string{
		frame.V10: "ab:cdef:g\\\n",
		frame.V11: "a\\cb:c\\ndef\\cg\\\\\n",
		frame.V12: "a\\cb:c\\nd\\ref\\cg\\\\\n",
	} {
		if got := string(frame.AppendHeader(nil, v, "a:b", "c\nd\re\x00f:g\\")); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	raw := []byte("SEND\ndestination:/topic/a\ncontent-type:text/plain\ncontent-length:5\n\nhello\x00")
	f := frame.Frame{Headers: make([]frame.Header, 0, 8)}
	got := testing.AllocsPerRun(100, func() {
		var s frame.Splitter
		if _, err := s.Next(raw, limits); err != nil {
			t.Fatal(err)
		}
		if err := frame.Decode(&f, raw, frame.V12); err != nil {
			t.Fatal(err)
		}
	})
	if got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func TestDecodeWantsAWholeFrame(t *testing.T) {
	for _, raw := range []string{"", "SEND", "SEND\x00", "SEND\n\x00", "SEND\na:b\n\x00", "SEND\n\na\x00b\x00"} {
		var f frame.Frame
		if err := frame.Decode(&f, []byte(raw), frame.V12); !errors.Is(err, frame.ErrEnd) {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	raw := []byte("SEND\ndestination:/topic/a\ncontent-type:text/plain\ncontent-length:128\n\n" + strings.Repeat("x", 128) + "\x00")
	work := bytes.Clone(raw)
	var f frame.Frame
	b.ReportAllocs()
	for b.Loop() {
		var s frame.Splitter
		_, _ = s.Next(work, limits)
		_ = frame.Decode(&f, work, frame.V12)
	}
}
