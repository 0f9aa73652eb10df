// Package memory is a queue for the consumers of one process: of a server that runs
// without Redis, and of tests. What it holds ends with the process.
package memory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/queue/consume"
)

// Options configures a Queue. The zero value means the defaults.
type Options struct {
	// Groups keep what they are not done with, from the first event on. Consume adds
	// its own.
	Groups []string
	// MaxLength bounds the events that wait. With a group, one more is refused;
	// without one, the oldest goes. Default 10,000.
	MaxLength int
	// MaxBytes bounds what their arguments take. Default 64 MiB.
	MaxBytes int
	// MaxDead bounds the dead letters; one more drops the oldest. Default 1,000.
	MaxDead int
	// Window is how long IDs are remembered, and answers kept. Default 5 minutes.
	Window time.Duration
	// Logger gets what consumers have to tell. Default slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	setDefault(&o.MaxLength, 10_000)
	setDefault(&o.MaxBytes, 64<<20)
	setDefault(&o.MaxDead, 1_000)
	setDefault(&o.Window, 5*time.Minute)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Validate names the first option that cannot work.
func (o Options) Validate() error {
	o = o.withDefaults()
	switch {
	case o.MaxLength < 1:
		return fmt.Errorf("memory: Options.MaxLength is %d, must be positive", o.MaxLength)
	case o.MaxBytes < 1:
		return fmt.Errorf("memory: Options.MaxBytes is %d, must be positive", o.MaxBytes)
	case o.MaxDead < 1:
		return fmt.Errorf("memory: Options.MaxDead is %d, must be positive", o.MaxDead)
	case o.Window < 0:
		return fmt.Errorf("memory: Options.Window is %v, must not be negative", o.Window)
	}
	return nil
}

// ErrFull is belfry.ErrUnavailable for a queue that has no room.
var ErrFull = fmt.Errorf("queue is full: %w", belfry.ErrUnavailable)

// Queue implements belfry.Queue, belfry.Answers and belfry.Consumer. It starts no
// goroutine and needs no Close. Safe for concurrent use.
type Queue struct {
	opts Options

	mu      sync.Mutex
	events  []event // those that wait; the first has the number first
	first   int
	bytes   int
	last    map[string]int // number of the last event of each key that waits
	groups  map[string]*group
	ids     window[struct{}]
	answers window[*belfry.Answer]
	waiting map[string]chan struct{} // by ID: closed when the answer is there
	dead    []Dead
	arrived chan struct{} // closed by the next Append
}

var (
	_ belfry.Queue    = (*Queue)(nil)
	_ belfry.Answers  = (*Queue)(nil)
	_ belfry.Consumer = (*Queue)(nil)
)

// event is one that waits, with the number of the one before it with the same key;
// -1: there was none.
type event struct {
	belfry.Event
	after int
	only  string // the only group that it is for; empty: all
}

// New returns an empty queue. Options that Validate refuses are its error.
func New(o Options) (*Queue, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	q := &Queue{
		opts: o.withDefaults(), last: make(map[string]int), groups: make(map[string]*group),
		waiting: make(map[string]chan struct{}), arrived: make(chan struct{}),
	}
	for _, name := range o.Groups {
		q.group(name)
	}
	return q, nil
}

// Append implements belfry.Queue. Its belfry.ErrUnavailable is ErrFull.
func (q *Queue) Append(ctx context.Context, e *belfry.Event) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case e.ID == "":
		return errors.New("queue: event without an ID")
	case len(e.ID) > belfry.MaxID:
		return fmt.Errorf("queue: ID of an event has %d bytes, may have %d", len(e.ID), belfry.MaxID)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if _, known := q.ids.get(now, e.ID); known {
		return belfry.ErrDuplicate
	}
	if !q.room(e) {
		return ErrFull
	}
	q.ids.put(now.Add(q.opts.Window), e.ID, struct{}{})
	q.add(event{Event: *e, after: -1})
	return nil
}

// room makes room for one more, if it may.
func (q *Queue) room(e *belfry.Event) bool {
	q.trim()
	for len(q.events) >= q.opts.MaxLength || q.bytes+len(e.Args) > q.opts.MaxBytes {
		if len(q.groups) > 0 || len(q.events) == 0 {
			return false
		}
		q.removeFirst()
	}
	return true
}

func (q *Queue) add(e event) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	number := q.first + len(q.events)
	if e.Key != "" {
		if before, ok := q.last[e.Key]; ok {
			e.after = before
		}
		q.last[e.Key] = number
	}
	q.events = append(q.events, e)
	q.bytes += len(e.Args)
	close(q.arrived)
	q.arrived = make(chan struct{})
}

// trim removes what all groups are done with.
func (q *Queue) trim() {
	if len(q.groups) == 0 {
		return
	}
	for len(q.events) > 0 {
		for _, g := range q.groups {
			if !g.isDone(q.first) {
				return
			}
		}
		q.removeFirst()
	}
}

func (q *Queue) removeFirst() {
	e := &q.events[0]
	if e.Key != "" && q.last[e.Key] == q.first {
		delete(q.last, e.Key)
	}
	q.bytes -= len(e.Args)
	*e = event{}
	q.events, q.first = q.events[1:], q.first+1
}

// Consume implements belfry.Consumer.
func (q *Queue) Consume(ctx context.Context, group string, handle belfry.Handler, o belfry.ConsumeOptions) error {
	return q.ConsumeWith(ctx, group, consume.Plain(handle), o)
}

// ConsumeWith is Consume for handlers of package client. There is no Redis whose
// commands they could have run.
func (q *Queue) ConsumeWith(ctx context.Context, group string, handle consume.Handler, o belfry.ConsumeOptions) error {
	if group == "" {
		return errors.New("queue: consume: the group has no name")
	}
	if o.Logger == nil {
		o.Logger = q.opts.Logger
	}
	o, err := consume.Complete(o)
	if err != nil {
		return err
	}
	q.mu.Lock()
	g := q.group(group)
	q.mu.Unlock()
	return consume.Run(ctx, &reader{q: q, g: g, consumer: o.Consumer, dedup: o.Dedup}, handle, o)
}
