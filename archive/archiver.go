package archive

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Archiver writes what a source brings into a store. A record is done with once its
// row is durable. While the store is away the records stay in the source: each
// record that is under way is held until it is written, and no more are taken.
type Archiver struct {
	o       Options
	writer  *writer
	account account
}

// New returns an Archiver.
func New(o Options) (*Archiver, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	a := &Archiver{o: o.withDefaults()}
	a.writer = newWriter(&a.o, &a.account)
	return a, nil
}

// Run archives until ctx ends, or the source cannot go on: then it finishes what is
// under way, no longer than StopTimeout. The error is that of the source. Run runs
// once.
func (a *Archiver) Run(ctx context.Context) error {
	// What is under way goes on after ctx has ended.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stopLate := context.AfterFunc(ctx, func() { time.AfterFunc(a.o.StopTimeout, cancel) })
	defer stopLate()

	besides, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { a.writer.run(work) })
	all.Go(func() { a.every(besides, a.o.TendInterval, a.tend) })
	all.Go(func() { a.every(besides, a.o.LagInterval, a.readLag) })

	err := a.consume(ctx, work)
	stop()
	cancel() // nothing is under way any more
	all.Wait()
	if errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

func (a *Archiver) consume(ctx, work context.Context) error {
	if batches, ok := a.o.Source.(belfry.BatchSource); ok {
		most := belfry.BatchLimit{Records: a.o.BatchRecords, Bytes: a.o.BatchBytes}
		return batches.RunBatches(ctx, most, func(_ context.Context, records []*belfry.Record) error {
			return a.handle(work, records)
		})
	}
	return a.o.Source.Run(ctx, func(_ context.Context, record *belfry.Record) error {
		err := a.handle(work, []*belfry.Record{record})
		var poison *belfry.PoisonBatchError
		if errors.As(err, &poison) {
			return &belfry.PoisonError{Reason: poison.Reasons[0]}
		}
		return err
	})
}

// handle returns once all records are rows, or known to be poison.
func (a *Archiver) handle(ctx context.Context, records []*belfry.Record) error {
	poison := make(map[int]error)
	entries := make([]Entry, 0, len(records))
	places := make([]int, 0, len(records))
	size := 0
	for i, record := range records {
		of, err := a.decode(record)
		if err != nil {
			poison[i] = err
			continue
		}
		for _, e := range of {
			entries, places = append(entries, e), append(places, i)
			size += e.Size()
		}
	}
	if len(entries) > 0 {
		refused, err := a.writer.write(ctx, entries, size)
		if err != nil {
			return err
		}
		for i, reason := range refused {
			poison[places[i]] = reason
		}
	}
	if len(poison) == 0 {
		return nil
	}
	for i, reason := range poison {
		a.o.Logger.Warn("archive: record put aside", "record", records[i].ID, "reason", reason)
	}
	a.account.poisoned(len(poison))
	return &belfry.PoisonBatchError{Reasons: poison}
}

func (a *Archiver) decode(record *belfry.Record) ([]Entry, error) {
	entries, err := a.o.Decode(record)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Size() > a.o.BatchBytes/2 {
			return nil, fmt.Errorf("the message has %d bytes: at most %d are archived", e.Size(), a.o.BatchBytes/2)
		}
		if time.Until(e.Time) > a.o.MaxAhead {
			return nil, fmt.Errorf("the time %v is ahead of the clock by more than %v", e.Time, a.o.MaxAhead)
		}
	}
	return entries, nil
}

// every calls f at once, and then every interval.
func (a *Archiver) every(ctx context.Context, interval time.Duration, f func(context.Context)) {
	next := time.NewTicker(interval)
	defer next.Stop()
	for {
		f(ctx)
		select {
		case <-next.C:
		case <-ctx.Done():
			return
		}
	}
}

func (a *Archiver) tend(ctx context.Context) {
	tender, ok := a.o.Store.(Tender)
	if !ok {
		return
	}
	a.retry(ctx, "tend", func() error { return tender.Tend(ctx) })
}

// retry calls f until it works or ctx ends.
func (a *Archiver) retry(ctx context.Context, what string, f func() error) {
	for wait := a.o.RetryMin; ctx.Err() == nil; wait = min(2*wait, a.o.RetryMax) {
		err := f()
		if err == nil || ctx.Err() != nil {
			return
		}
		a.o.Logger.Warn("archive: "+what+" failed, will be tried again", "error", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

func (a *Archiver) readLag(ctx context.Context) {
	reporter, ok := a.o.Source.(belfry.LagReporter)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, a.o.LagInterval)
	defer cancel()
	lag, err := reporter.Lag(ctx)
	a.account.lag(lag, err)
}
