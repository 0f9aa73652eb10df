// Package check counts what became of numbered messages at their receivers:
// lost, duplicated, out of order. The counts are exact however many messages
// there are; memory is spent on gaps only.
package check

import "slices"

// Verdict says what the arrival of one number means.
type Verdict uint8

const (
	Fresh     Verdict = iota // first arrival, after all lower numbers that arrived
	Late                     // first arrival, but a higher number was here before
	Duplicate                // this number arrived before
)

// span is the numbers from first up to, not including, end.
type span struct{ first, end uint32 }

// Stream follows the messages of one source at one receiver. The zero value
// expects number 0. Not safe for concurrent use.
type Stream struct {
	next  uint64 // above all numbers that arrived
	holes []span // numbers below next that did not arrive, ascending
}

// Add takes the arrival of number seq.
func (s *Stream) Add(seq uint32) Verdict {
	n := uint64(seq)
	if n < s.next {
		return s.fill(seq)
	}
	if n > s.next {
		s.holes = append(s.holes, span{uint32(s.next), seq})
	}
	s.next = n + 1
	return Fresh
}

// fill takes a number below next: late if it lies in a hole.
func (s *Stream) fill(seq uint32) Verdict {
	i, found := slices.BinarySearchFunc(s.holes, seq, func(h span, seq uint32) int {
		switch {
		case h.end <= seq:
			return -1
		case h.first > seq:
			return 1
		}
		return 0
	})
	if !found {
		return Duplicate
	}
	h := s.holes[i]
	var rest []span
	if h.first < seq {
		rest = append(rest, span{h.first, seq})
	}
	if seq+1 < h.end {
		rest = append(rest, span{seq + 1, h.end})
	}
	s.holes = slices.Replace(s.holes, i, i+1, rest...)
	return Late
}

// Missing returns how many of the numbers below sent did not arrive, and how
// many arrived that are not below sent, which nobody can have sent.
func (s *Stream) Missing(sent uint32) (lost, alien uint64) {
	for _, h := range s.holes {
		lost += uint64(overlap(h, sent))
	}
	if s.next <= uint64(sent) {
		return lost + uint64(sent) - s.next, 0
	}
	alien = s.next - uint64(sent)
	for _, h := range s.holes {
		alien -= uint64(h.end - h.first - overlap(h, sent))
	}
	return lost, alien
}

// overlap counts the numbers of h that are below sent.
func overlap(h span, sent uint32) uint32 {
	return min(h.end, sent) - min(h.first, sent)
}
