// Package kafka brings the records of Kafka topics, as a consumer group of nodes.
//
// What becomes of a record:
//
//	fetched → waits for its lane → handle → done → its offset is committed
//	                                 │  └ error: again, after a pause, for ever
//	                                 └ *belfry.PoisonError → dead letters → done
//
// An offset is committed when all records of the partition before it are done, so
// that a crash loses nothing; what was done but not committed comes again, with the
// same Record.ID. A partition whose records wait too long is not fetched: memory is
// bounded, however long the bus is away.
//
// When a partition goes to another node, what waits is dropped, handlers finish what
// they are at, and what is done is committed; only then the other node begins. When
// the group has lost a partition without being asked, nothing is committed.
package kafka

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry"
)

// Source consumes topics. Safe for concurrent use, but for Run and RunBatches: one
// at a time.
type Source struct {
	o Options

	mu  sync.Mutex
	run *run // nil while nothing runs

	handled, retries, poisoned, commits atomic.Uint64
}

var (
	_ belfry.Source      = (*Source)(nil)
	_ belfry.BatchSource = (*Source)(nil)
	_ belfry.LagReporter = (*Source)(nil)
)

// New returns a Source. It connects to nothing yet.
func New(o Options) (*Source, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return &Source{o: o.withDefaults()}, nil
}

// Run is that of belfry.Source. It waits for brokers that are away, and for topics
// that are missing, and ends with ctx alone; it returns nil then. The context of
// handle ends StopTimeout after ctx: handle has to return soon after that. A record
// with belfry.ErrDuplicate is done: it was published before. What makes handle panic
// is poison.
func (s *Source) Run(ctx context.Context, handle func(context.Context, *belfry.Record) error) error {
	return s.consume(ctx, belfry.BatchLimit{Records: 1}, func(ctx context.Context, records []*belfry.Record) error {
		return one(ctx, records, handle)
	})
}

// RunBatches is that of belfry.BatchSource; what Run says holds for it, too, but for
// panics: they are errors like others. A batch has at most 1,000 records and 1 MiB,
// unless most says otherwise, and is of one partition.
func (s *Source) RunBatches(ctx context.Context, most belfry.BatchLimit,
	handle func(context.Context, []*belfry.Record) error,
) error {
	setDefault(&most.Records, 1000)
	setDefault(&most.Bytes, 1<<20)
	return s.consume(ctx, most, func(ctx context.Context, records []*belfry.Record) error {
		return guarded(func() error { return handle(ctx, records) })
	})
}

var errRunning = errors.New("source/kafka: runs already")

func (s *Source) consume(ctx context.Context, most belfry.BatchLimit, handle handler) error {
	r := newRun(s, most, handle)
	s.mu.Lock()
	if s.run != nil {
		s.mu.Unlock()
		return errRunning
	}
	s.run = r
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.run = nil
		s.mu.Unlock()
	}()
	return r.run(ctx)
}

// options are those of the driver, for a member of the group or not.
func (s *Source) options() ([]kgo.Opt, error) {
	return s.o.Kafka.Client(s.o.Logger)
}
