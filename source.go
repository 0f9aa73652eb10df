package belfry

import "context"

// Source brings messages of other systems: a Redis channel, a stream, a topic.
type Source interface {
	// Run calls handle for each record, until ctx ends or it cannot go on. Records
	// with one key come one after the other, in order. A record is done with, on all
	// nodes, once handle has returned nil; what handle refuses with a *PoisonError
	// is put aside, with the reason, and done with; after any other error it is
	// handed out again, later.
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
}

// PoisonError says that a record can never be handled.
type PoisonError struct{ Reason error }

func (e *PoisonError) Error() string { return "record cannot be handled: " + e.Reason.Error() }

// Unwrap returns the reason.
func (e *PoisonError) Unwrap() error { return e.Reason }
