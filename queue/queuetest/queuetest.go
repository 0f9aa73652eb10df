// Package queuetest is the suite that every queue passes: the contracts of
// belfry.Queue, belfry.Answers and belfry.Consumer, clause by clause.
//
// Each check returns what is wrong as an error, so that the package's own tests can
// show that it does: for each there is a queue that is broken in just that way.
package queuetest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Queue is all that a queue can be.
type Queue interface {
	belfry.Queue
	belfry.Answers
	belfry.Consumer
}

// checkTime bounds one check.
const checkTime = time.Minute

// Run checks every clause, each with a fresh queue that keeps 2,000 events and has
// the group "g".
func Run(t *testing.T, fresh func(t *testing.T) Queue) {
	t.Helper()
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), checkTime)
			defer cancel()
			if err := c.run(ctx, fresh(t)); err != nil {
				t.Errorf("%v\ncontract: %s", err, c.clause)
			}
		})
	}
}

// check is one clause.
type check struct {
	name, clause string
	run          func(context.Context, Queue) error
}

var checks = []check{
	{"events arrive whole", "an event is handled as it was appended", checkWhole},
	{"each event once for each group", "each event goes to one backend of each group", checkOnce},
	{"duplicates", "of events with one ID within the window, the first is stored", checkDuplicates},
	{"IDs are needed", "an event without an ID, or with one that is too long, is refused", checkIDs},
	{"order of a key", "events with one key are handled one after the other, in order, whichever consumers have them", checkOrder},
	{"failures", "an event is handled again if the handler failed, and Tries counts", checkFailures},
	{"dead letters", "after MaxTries, or *PoisonError, an event is not handled again", checkDead},
	{"retry later", "after *RetryError an event is not handled before its time", checkLater},
	{"stop", "when ctx ends running handlers end; what was not begun is left to others at once", checkStop},
	{"panic", "a handler that panics has failed", checkPanic},
	{"answers", "the first answer counts, and comes whenever it is awaited", checkAnswers},
	{"answers of handlers", "the answer of a handler goes to who waits; a dead letter is an error", checkHandlerAnswers},
	{"end of contexts", "calls block no longer than their contexts", checkContexts},
}

func event(id string) *belfry.Event {
	return &belfry.Event{ID: id, Namespace: "/", Name: "e", Args: json.RawMessage(`[1]`)}
}

// appendAll appends n events; key may be nil.
func appendAll(ctx context.Context, q Queue, n int, key func(int) string) error {
	for i := range n {
		e := event(fmt.Sprint(i))
		if key != nil {
			e.Key = key(i)
		}
		if err := q.Append(ctx, e); err != nil {
			return fmt.Errorf("append event %d: %w", i, err)
		}
	}
	return nil
}

// quick are options for checks that do not wait long.
func quick() belfry.ConsumeOptions {
	return belfry.ConsumeOptions{Backoff: time.Millisecond, MaxBackoff: 20 * time.Millisecond}
}
