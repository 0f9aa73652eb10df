package consume

import (
	"context"
	"errors"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Entry is a Delivery, and what the queue knows of it besides.
type Entry struct {
	belfry.Delivery
	// After is the entry of the event before this one with the same key. Empty:
	// there is none that anybody remembers.
	After string
	// Fault says why the entry cannot be read. Then there is no event.
	Fault error
}

// Result is what became of a try that succeeded.
type Result struct {
	Answer *belfry.Answer
	// With are commands for the store, done in the same step as the
	// acknowledgement, and only if that is the first.
	With [][]string
}

// Store is a group of a queue as one consumer sees it. Methods block no longer
// than ctx; Read also no longer than wait. Safe for concurrent use.
type Store interface {
	// Read takes up to n new entries, in the order of the queue. It waits for the
	// first.
	Read(ctx context.Context, n int, wait time.Duration) ([]*Entry, error)
	// Reclaim takes over up to n entries that their consumer has not held for longer
	// than idle.
	Reclaim(ctx context.Context, n int, idle time.Duration) ([]*Entry, error)
	// Mine returns up to n entries after the given one that this consumer has, by
	// whatever way: it may not know of them after a start, or after a Read that
	// failed.
	Mine(ctx context.Context, after string, n int) ([]*Entry, error)
	// Hold says that the consumer has these entries still, and how often it has
	// tried them. It returns those that it no longer has.
	Hold(ctx context.Context, tries map[string]int) (lost []string, err error)
	// Waits reports whether the group is not yet done with an entry.
	Waits(ctx context.Context, entry string) (bool, error)
	// Handled reports whether the group remembers the ID of the entry: Dedup.
	Handled(ctx context.Context, e *Entry) (bool, error)
	// Settle ends an entry. first is false if it had ended before, or the store
	// does not know it: then nothing was done. ErrRefused: the commands in With
	// cannot be run, and none was.
	Settle(ctx context.Context, e *Entry, r Result) (first bool, err error)
	// Bury makes an entry a dead letter.
	Bury(ctx context.Context, e *Entry, reason string) error
	// Release leaves entries to other consumers at once.
	Release(ctx context.Context, tries map[string]int) error
}

var (
	// ErrRefused is a try that failed by the commands that were to be run with it.
	ErrRefused = errors.New("commands that go with the acknowledgement are refused")
	// ErrLost ends the context of a handler whose event another consumer has taken
	// over.
	ErrLost = errors.New("event taken over by another consumer")
	// ErrTimeout ends the context of a handler that takes longer than Timeout.
	ErrTimeout = errors.New("handler takes longer than ConsumeOptions.Timeout")
	// ErrStopped ends the context of a handler that runs on for StopTimeout.
	ErrStopped = errors.New("consumer stopped")
)
