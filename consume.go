package belfry

import (
	"context"
	"log/slog"
	"time"
)

// Delivery is an event on its way to a handler.
type Delivery struct {
	Event
	// Entry names the event within its queue. Entries of a queue are in the order
	// in which they were appended.
	Entry string
	// Tries counts the deliveries, this one included. More than 1: an earlier
	// handler has failed or died, perhaps after it had done its work.
	Tries int
	// Fields are all that the queue has of the entry, by name, if it has fields:
	// others than Belfry may have appended it, with fields of their own.
	Fields map[string]string
}

// Handler handles an event. After nil the event is done with; the answer, if it is
// not nil, goes to the client that waits for it. After an error the event is
// delivered again; *PoisonError and *RetryError say more.
type Handler func(ctx context.Context, d *Delivery) (*Answer, error)

// Consumer is what a Queue offers in addition when its events can be consumed in
// this process. Found by assertion on the Queue.
type Consumer interface {
	// Consume has the events that wait in the group handled, until ctx ends. Then it
	// takes no more, lets the handlers that run come to an end, and returns nil; what
	// it had taken and not begun is left to others. It creates the group if there is
	// none, survives what is temporary, and returns an error only if it cannot work
	// at all.
	//
	// An event is handled by one consumer of the group at a time. It is handled again
	// if the handler failed, if the process died before the handling was recorded, or
	// if it showed no sign of life for ReclaimAfter. Events with one Key are handled
	// one after the other, in order, whichever consumers of the group have them.
	Consume(ctx context.Context, group string, handle Handler, o ConsumeOptions) error
}

// ConsumeOptions configures a Consumer. The zero value means the defaults.
type ConsumeOptions struct {
	// Consumer names this consumer within its group, of no other process that runs.
	// Default: the name of the machine, and random characters.
	Consumer string
	// Concurrency is how many handlers may run at a time. Default 16.
	Concurrency int
	// Prefetch is how many events may be held at a time: those that run, and those
	// that wait for a handler, for their turn or for another try. Default 4 ×
	// Concurrency, at least that. One key has a quarter of it; if more of its events
	// come, they wait beside, up to 15 × Prefetch and 1,000 in all, so that events of
	// other keys are read. What is taken over from others comes on top.
	Prefetch int
	// Unordered ignores the keys of events.
	Unordered bool
	// Dedup is how long the IDs of handled events are remembered, per group: an
	// event with one of them is not handled. 0: they are not remembered.
	Dedup time.Duration
	// MaxTries is how often an event is delivered until it becomes a dead letter.
	// Default 10; -1: there is no bound.
	MaxTries int
	// MaxAge is how old an event may become until it is a dead letter after a try
	// that failed. 0: there is no bound.
	MaxAge time.Duration
	// Backoff is the time from the first try to the second; it doubles with every
	// try, up to MaxBackoff. Defaults 500 ms and 1 minute.
	Backoff, MaxBackoff time.Duration
	// ReclaimAfter is how long a consumer may give no sign of life until its events
	// go to others. It does so three times in that time, however long its handlers
	// run. Default 1 minute, at least 300 ms.
	ReclaimAfter time.Duration
	// Timeout bounds one run of a handler. 0: there is no bound.
	Timeout time.Duration
	// StopTimeout is how long running handlers have to end by themselves once ctx
	// has ended; then their contexts end. Default 30 s.
	StopTimeout time.Duration
	// Logger gets what goes wrong. Default slog.Default().
	Logger *slog.Logger
}

// RetryError says when an event can be tried again.
type RetryError struct {
	Reason error
	After  time.Duration // at least
}

func (e *RetryError) Error() string { return e.Reason.Error() }

// Unwrap returns the reason.
func (e *RetryError) Unwrap() error { return e.Reason }
