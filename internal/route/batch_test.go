package route

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/seed-09a96375/belfry"
)

// TestABatchIsPublishedInPart: the bus takes so many messages of a batch and goes away.
// The source is told which records are done with, poison among them, and the next try
// is for the rest.
func TestABatchIsPublishedInPart(t *testing.T) {
	records := make([]*belfry.Record, 6)
	for i := range records {
		records[i] = &belfry.Record{ID: fmt.Sprint("S/", i), Value: fmt.Appendf(nil, `{"room":"r%d"}`, i)}
	}
	records[1].Value = []byte(`{}`) // poison
	for takes, want := range map[int]struct{ done, poison int }{0: {0, 0}, 1: {2, 1}, 3: {4, 1}, 5: {6, 1}} {
		var published []string
		left := takes
		r, err := New(Options{Sources: []Source{{Name: "src", Stream: "S", Emit: Emit{Rooms: []string{"{payload.room}"}}}}}, Links{
			Publish: newDesk().publish,
			PublishAll: func(_ context.Context, messages []*belfry.Message) (int, error) {
				n := min(left, len(messages))
				for _, m := range messages[:n] {
					published = append(published, string(m.Target.Rooms[0]))
				}
				if left -= n; n < len(messages) {
					return n, belfry.ErrUnavailable
				}
				return n, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		handle, err := r.HandleBatch("src")
		if err != nil {
			t.Fatal(err)
		}
		err = handle(t.Context(), records)
		done, poison, rest := belfry.BatchVerdict(err, len(records))
		if done != want.done || len(poison) != want.poison && done > 0 || errors.Is(rest, belfry.ErrUnavailable) != (done < 6) {
			t.Errorf("the bus takes %d: %d are done with, poison %v, error %v: want %+v", takes, done, poison, rest, want)
		}
		left = 10
		if err := handle(t.Context(), records[done:]); done < 6 && err != nil && done > 1 {
			t.Errorf("the rest: %v", err)
		}
		if got := fmt.Sprint(published); got != "[r0 r2 r3 r4 r5]" {
			t.Errorf("the bus takes %d, then all: published %s", takes, got)
		}
	}
	r, err := New(Options{}, Links{Publish: newDesk().publish})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.HandleBatch("other"); err == nil {
		t.Error("a source that is not there has a handler")
	}
}
