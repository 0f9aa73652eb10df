package hub

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/seed-09a96375/belfry"
)

func TestTallyTellsOutcomesApart(t *testing.T) {
	h := new(Hub)
	for _, err := range []error{
		nil, belfry.ErrDuplicate, fmt.Errorf("x: %w", belfry.ErrUnavailable), belfry.ErrInDoubt, context.DeadlineExceeded, errors.New("x"),
	} {
		h.tally.count(err)
	}
	h.tally.countAll(3, belfry.ErrUnavailable)
	h.tally.countAll(2, nil)
	h.tally.deliveredTo(0)
	h.tally.deliveredTo(5)
	want := Stats{Published: 6, Duplicates: 1, Unavailable: 2, InDoubt: 2, Failed: 1, Received: 2, Delivered: 5}
	if got := h.Stats(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// BenchmarkTally is what metrics cost a message: on its way in, and on each node out.
func BenchmarkTally(b *testing.B) {
	h := new(Hub)
	b.ReportAllocs()
	for b.Loop() {
		h.tally.count(nil)
		h.tally.deliveredTo(5)
	}
}
