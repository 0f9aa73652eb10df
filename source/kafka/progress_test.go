//go:build unix

package kafka

import (
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestProgress ends records in any order: what may be committed is always what is
// before the first that is not done.
func TestProgress(t *testing.T) {
	const n = 500
	r := rand.New(rand.NewPCG(1, 2))
	var (
		p    progress
		seqs []uint64
	)
	offset := func(i int) int64 { return int64(i * 3) } // logs have holes
	done := make([]bool, n)
	for i := range n {
		seqs = append(seqs, p.begin(&kgo.Record{Offset: offset(i), LeaderEpoch: 7}))
		for range r.IntN(3) {
			if j := r.IntN(i + 1); !done[j] {
				done[j] = true
				p.end(seqs[j])
			}
		}
		first := 0
		for first <= i && done[first] {
			first++
		}
		if p.ready != (first > 0) || first > 0 && (p.next.offset != offset(first-1)+1 || p.next.epoch != 7) {
			t.Fatalf("after %d records, %d of them done in order: %+v", i+1, first, p.next)
		}
	}
	for j := range n {
		if !done[j] {
			p.end(seqs[j])
		}
	}
	if p.next.offset != offset(n-1)+1 || len(p.open) != 0 {
		t.Errorf("at the end %+v, open %d", p.next, len(p.open))
	}
}
