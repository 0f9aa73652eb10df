package belfry

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Source brings messages of other systems: a Redis channel, a stream, a topic.
type Source interface {
	// Run calls handle for each record, until ctx ends or it cannot go on. Records
	// with one key come one after the other, in order. A record is done with, on all
	// nodes, once handle has returned nil; what handle refuses with a *PoisonError
	// is put aside, with the reason, and done with; after any other error it is
	// handed out again, later. After ctx has ended no call begins; Run returns when
	// those under way have returned, and what they said is kept.
	Run(ctx context.Context, handle func(context.Context, *Record) error) error
}

// Record is one message of a Source.
type Record struct {
	// ID names the record within its source, cluster-wide and for ever: publishing
	// with it is idempotent. Empty: the source has no names.
	ID    string
	Key   string            // what orders it; empty: nothing does
	Value []byte            // as the source has it
	Meta  map[string]string // headers or fields, by name
	// Time is when the source got the record, the same each time that it is handed
	// out. Zero: not known.
	Time time.Time
}

// BatchSource is what a Source offers in addition when it can hand out many records
// at once. Found by assertion on the Source.
type BatchSource interface {
	// RunBatches is Run for a handler to which many records cost little more than
	// one, a database. It calls handle with the records that are there, one or more,
	// in order, without waiting for more. Calls overlap as those of Run do: not with
	// records of one key. All records of a batch are done with once handle has
	// returned nil; after a *PoisonBatchError those that it names are put aside, and
	// the others are done with; after any other error all are handed out again,
	// later. After a *PartialBatchError that is so for the rest only. The records are
	// the handler's to keep.
	RunBatches(ctx context.Context, most BatchLimit, handle func(context.Context, []*Record) error) error
}

// BatchLimit bounds a batch. A record that is larger is a batch of its own. Zero: the
// source's own bound.
type BatchLimit struct {
	Records int
	Bytes   int // of keys and values together
}

// LagReporter is what a Source offers in addition when it knows how far behind it is.
// Found by assertion on the Source.
type LagReporter interface {
	// Lag says what is not done with, all nodes together. It blocks no longer than
	// ctx.
	Lag(ctx context.Context) (Lag, error)
}

// Lag is what a Source has not done with.
type Lag struct {
	Records int64
	Age     time.Duration // of the oldest of them; 0: none, or not known
}

// PoisonError says that a record can never be handled.
type PoisonError struct{ Reason error }

func (e *PoisonError) Error() string { return "record cannot be handled: " + e.Reason.Error() }

// Unwrap returns the reason.
func (e *PoisonError) Unwrap() error { return e.Reason }

// PoisonBatchError says which records of a batch can never be handled.
type PoisonBatchError struct {
	Reasons map[int]error // by the place in the batch, from 0; not empty
}

func (e *PoisonBatchError) Error() string {
	for i, reason := range e.Reasons {
		if len(e.Reasons) == 1 {
			return fmt.Sprintf("record %d of a batch cannot be handled: %v", i, reason)
		}
	}
	return fmt.Sprintf("%d records of a batch cannot be handled", len(e.Reasons))
}

// PartialBatchError says that the first records of a batch are handled and the next is
// not.
type PartialBatchError struct {
	// Done is how many are done with, poison or handled; less than the batch has.
	Done int
	// Reasons are why some of these can never be handled, by the place in the batch.
	// Nil: all can.
	Reasons map[int]error
	// Err is why the next record is not handled. Not nil.
	Err error
}

func (e *PartialBatchError) Error() string {
	return fmt.Sprintf("%d records of a batch are handled, not the next: %v", e.Done, e.Err)
}

// Unwrap returns why the next record is not handled.
func (e *PartialBatchError) Unwrap() error { return e.Err }

// BatchVerdict reads what a handler of RunBatches has returned for n records, as
// sources must: so many of the first are done with, of these some are poison, by their
// place, and the rest is to be handed out again because of err. err is nil if there is
// no rest.
func BatchVerdict(answer error, n int) (done int, poison map[int]error, err error) {
	var (
		one  *PoisonError
		all  *PoisonBatchError
		part *PartialBatchError
	)
	switch {
	case answer == nil:
		return n, nil, nil
	case errors.As(answer, &part) && part.Done < n:
		return part.Done, part.Reasons, answer
	case errors.As(answer, &all) && len(all.Reasons) > 0:
		return n, all.Reasons, nil
	case errors.As(answer, &one) && n == 1:
		return 1, map[int]error{0: one.Reason}, nil
	}
	return 0, nil, answer
}
