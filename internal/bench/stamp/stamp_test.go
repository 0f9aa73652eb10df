package stamp

import (
	"bytes"
	"math"
	"testing"
)

func TestStampRoundTrip(t *testing.T) {
	for _, s := range []Stamp{
		{},
		{Source: 1, Seq: 2, Sent: 3},
		{Source: math.MaxUint32, Seq: math.MaxUint32, Sent: math.MaxInt64},
	} {
		p := s.AppendTo(nil)
		if len(p) != Len {
			t.Errorf("%+v takes %d bytes, want %d", s, len(p), Len)
		}
		if got, ok := Parse(append(p, "filling"...)); !ok || got != s {
			t.Errorf("got %+v %v, want %+v", got, ok, s)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	good := Stamp{Source: 0xab, Seq: 1, Sent: 2}.AppendTo(nil)
	for name, p := range map[string][]byte{
		"empty":      nil,
		"short":      good[:Len-1],
		"upper case": bytes.ToUpper(good),
		"sign":       append([]byte("-"), good[1:]...),
	} {
		if s, ok := Parse(p); ok {
			t.Errorf("%s: accepted as %+v", name, s)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{})
	f.Add(Stamp{Source: 7, Seq: 8, Sent: 9}.AppendTo(nil))
	f.Add([]byte("0000000000000000ffffffffffffffff"))
	f.Fuzz(func(t *testing.T, p []byte) {
		if s, ok := Parse(p); ok && !bytes.Equal(s.AppendTo(nil), p[:Len]) {
			t.Errorf("%q is read as %+v, which is written %q", p, s, s.AppendTo(nil))
		}
	})
}

func TestFillingIsTheSameForASeed(t *testing.T) {
	a, b, c := Filling(1, 128), Filling(1, 128), Filling(2, 128)
	if len(a) != 128-Len || !bytes.Equal(a, b) || bytes.Equal(a, c) {
		t.Errorf("%q, %q, %q", a, b, c)
	}
}

func TestClocksAgree(t *testing.T) {
	a, b := NewClock(), NewClock()
	for range 1000 {
		x, y, z := a.Now(), b.Now(), a.Now()
		// Each clock reads the system's clock at a slightly different moment
		// when it is made; a millisecond is generous.
		if y < x-1e6 || z < y-1e6 {
			t.Fatalf("%d, then %d on the other, then %d", x, y, z)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	p := Stamp{Source: 1, Seq: 2, Sent: 3}.AppendTo(nil)
	for b.Loop() {
		Parse(p)
	}
}
