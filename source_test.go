package belfry_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/seed-09a96375/belfry"
)

// TestBatchVerdict: what a handler says of 3 records, or of one.
func TestBatchVerdict(t *testing.T) {
	cause := errors.New("cause")
	for _, test := range []struct {
		answer error
		n      int
		done   int
		poison []int
		rest   bool
	}{
		{nil, 3, 3, nil, false},
		{cause, 3, 0, nil, true},
		{&belfry.PoisonBatchError{Reasons: map[int]error{0: cause, 2: cause}}, 3, 3, []int{0, 2}, false},
		{fmt.Errorf("route: %w", &belfry.PoisonBatchError{Reasons: map[int]error{1: cause}}), 3, 3, []int{1}, false},
		{&belfry.PoisonBatchError{}, 3, 0, nil, true},
		{&belfry.PoisonError{Reason: cause}, 1, 1, []int{0}, false},
		{&belfry.PoisonError{Reason: cause}, 3, 0, nil, true}, // nobody knows which
		{&belfry.PartialBatchError{Done: 2, Reasons: map[int]error{1: cause}, Err: cause}, 3, 2, []int{1}, true},
		{&belfry.PartialBatchError{Done: 3, Err: cause}, 3, 0, nil, true}, // it cannot be
	} {
		done, poison, err := belfry.BatchVerdict(test.answer, test.n)
		if done != test.done || !slices.Equal(slices.Sorted(maps.Keys(poison)), test.poison) || (err != nil) != test.rest {
			t.Errorf("%v for %d: %d done, poison %v, error %v", test.answer, test.n, done, poison, err)
		}
	}
}
