package check

import (
	"math"
	"testing"
)

// add feeds numbers and counts the verdicts.
func add(s *Stream, t *Tally, seqs ...uint32) {
	for _, n := range seqs {
		t.Count(s.Add(n))
	}
}

func TestStream(t *testing.T) {
	for _, c := range []struct {
		name string
		seqs []uint32
		sent uint32
		want Tally
	}{
		{"in order", []uint32{0, 1, 2}, 3, Tally{Expected: 3, Received: 3}},
		{"nothing", nil, 2, Tally{Expected: 2, Lost: 2}},
		{"lost in the middle", []uint32{0, 3}, 4, Tally{Expected: 4, Received: 2, Lost: 2}},
		{"lost at both ends", []uint32{1}, 3, Tally{Expected: 3, Received: 1, Lost: 2}},
		{"doubled", []uint32{0, 0, 1, 0}, 2, Tally{Expected: 2, Received: 2, Duplicated: 2}},
		{"overtaken", []uint32{1, 0, 2}, 3, Tally{Expected: 3, Received: 3, OutOfOrder: 1}},
		{"reversed", []uint32{3, 2, 1, 0}, 4, Tally{Expected: 4, Received: 4, OutOfOrder: 3}},
		{"a late one doubled", []uint32{2, 1, 1}, 3, Tally{Expected: 3, Received: 2, Lost: 1, Duplicated: 1, OutOfOrder: 1}},
		{"a hole split", []uint32{5, 2, 0, 4}, 6, Tally{Expected: 6, Received: 4, Lost: 2, OutOfOrder: 3}},
		{"never sent", []uint32{0, 7}, 1, Tally{Expected: 1, Received: 1, Misrouted: 1}},
		{"the highest number", []uint32{0, math.MaxUint32, math.MaxUint32}, 1, Tally{Expected: 1, Received: 1, Misrouted: 1, Duplicated: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s Stream
			var got Tally
			add(&s, &got, c.seqs...)
			got.Expect(&s, c.sent)
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if clean := got.Clean(); clean != (c.name == "in order") {
				t.Errorf("Clean is %v", clean)
			}
		})
	}
}

func TestTallyAdd(t *testing.T) {
	a := Tally{1, 2, 3, 4, 5, 6, 7, 8}
	a.Add(Tally{10, 20, 30, 40, 50, 60, 70, 80})
	if want := (Tally{11, 22, 33, 44, 55, 66, 77, 88}); a != want {
		t.Errorf("got %+v, want %+v", a, want)
	}
}

// naive counts with a map what Stream counts with ranges.
func naive(seqs []byte, sent uint32) (want Tally) {
	seen := map[uint32]bool{}
	top := -1
	for _, b := range seqs {
		n := uint32(b)
		switch {
		case seen[n]:
			want.Duplicated++
			continue
		case int(n) < top:
			want.OutOfOrder++
		}
		seen[n] = true
		top = max(top, int(n))
		if n < sent {
			want.Received++
		} else {
			want.Misrouted++
		}
	}
	want.Expected = uint64(sent)
	want.Lost = want.Expected - want.Received
	return want
}

func FuzzStream(f *testing.F) {
	f.Add([]byte{0, 1, 2}, uint32(3))
	f.Add([]byte{9, 3, 3, 0, 200, 4}, uint32(8))
	f.Fuzz(func(t *testing.T, seqs []byte, sent uint32) {
		sent %= 300
		var s Stream
		var got Tally
		for _, b := range seqs {
			got.Count(s.Add(uint32(b)))
		}
		got.Expect(&s, sent)
		if want := naive(seqs, sent); got != want {
			t.Errorf("%v of %d sent: got %+v, want %+v", seqs, sent, got, want)
		}
	})
}

func BenchmarkStreamInOrder(b *testing.B) {
	var s Stream
	for n := uint32(0); b.Loop(); n++ {
		s.Add(n)
	}
}
