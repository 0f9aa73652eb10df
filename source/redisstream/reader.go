package redisstream

import (
	"context"
	"errors"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/source/lease"
)

// work hands out the records of a batch. An error says that they are not all done
// with, because the lease is lost.
type work func(ctx context.Context, r *reader, batch []*belfry.Record) error

// reader reads during one term.
type reader struct {
	*Source
	term *lease.Term
	most belfry.BatchLimit

	after string // entries after this one are read; ">": those that are new to the group
	start string // where a group that is missing begins
	last  string // the last entry that the group has got
	acks  []string
	acked time.Time
}

// run reads until ctx ends or the lease is lost.
func (r *reader) run(ctx context.Context, work work) {
	defer func() { _ = r.acknowledge(ctx, 0) }() // what is not is handed out again
	backoff := r.o.Backoff
	for ctx.Err() == nil {
		entries, err := r.fetch(ctx)
		if err == nil {
			err = r.deal(ctx, entries, work)
		}
		if ctx.Err() != nil || errors.Is(err, errFenced) {
			return
		}
		r.well(err)
		if err == nil {
			backoff = r.o.Backoff
			continue
		}
		// The group may have got entries that have not arrived here.
		r.after = "0"
		pause(ctx, backoff)
		backoff = min(2*backoff, r.o.MaxBackoff)
	}
}

// deal has entries handled, and waits if there are none.
func (r *reader) deal(ctx context.Context, entries []entry, work work) error {
	switch {
	case len(entries) > 0:
		return r.handle(ctx, entries, work)
	case r.after != ">":
		r.after = ">" // what earlier terms left is done with
		return nil
	}
	return r.await(ctx)
}

// handle has entries handled in batches.
func (r *reader) handle(ctx context.Context, entries []entry, work work) error {
	batch := make([]*belfry.Record, 0, len(entries))
	for _, e := range entries {
		if r.after != ">" {
			r.after = e.id
		}
		if e.fields == nil { // deleted before it was handled
			r.o.Logger.Warn("source: entry was deleted before it was handled", "stream", r.o.Stream, "entry", e.id)
			r.acks = append(r.acks, e.id)
			continue
		}
		batch = append(batch, r.record(e))
	}
	for len(batch) > 0 && ctx.Err() == nil {
		n := r.fitting(batch)
		if err := work(ctx, r, batch[:n]); err != nil {
			return err
		}
		batch = batch[n:]
	}
	return nil // the next read acknowledges them
}

// fitting is how many records make a batch.
func (r *reader) fitting(batch []*belfry.Record) int {
	size := 0
	for i, rec := range batch {
		size += len(rec.Key) + len(rec.Value)
		if i > 0 && (r.most.Records > 0 && i >= r.most.Records || r.most.Bytes > 0 && size > r.most.Bytes) {
			return i
		}
	}
	return len(batch)
}

// handOut hands out a record until it is done with, ctx ends or the lease is lost.
func (r *reader) handOut(ctx context.Context, rec *belfry.Record, handle func(context.Context, *belfry.Record) error) error {
	err := r.persist(ctx, func() error {
		err := handle(ctx, rec)
		var poison *belfry.PoisonError
		if errors.As(err, &poison) {
			return r.putAside(ctx, rec, poison.Reason)
		}
		if err == nil {
			r.acks = append(r.acks, r.entryOf(rec))
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := r.acknowledge(ctx, ackEvery); errors.Is(err, errFenced) {
		return err
	}
	return nil // what is not acknowledged now is later
}

// handOutBatch does the same for a batch.
func (r *reader) handOutBatch(ctx context.Context, batch []*belfry.Record, handle func(context.Context, []*belfry.Record) error) error {
	return r.persist(ctx, func() error {
		n, poison, err := belfry.BatchVerdict(handle(ctx, batch), len(batch))
		for i, rec := range batch[:n] {
			if poison[i] == nil {
				r.acks = append(r.acks, r.entryOf(rec))
			} else if err := r.persist(ctx, func() error { return r.putAside(ctx, rec, poison[i]) }); err != nil {
				return err
			}
		}
		batch = batch[n:]
		return err
	})
}

// persist calls try until it succeeds, ctx ends or the lease is lost.
func (r *reader) persist(ctx context.Context, try func() error) error {
	for backoff := r.o.Backoff; ; backoff = min(2*backoff, r.o.MaxBackoff) {
		if !r.term.Valid() {
			return errFenced
		}
		err := try()
		if err == nil || errors.Is(err, errFenced) {
			return err
		}
		if ctx.Err() == nil {
			r.o.Logger.Warn("source: record not handled, again later", "stream", r.o.Stream, "err", err)
			r.well(err)
			pause(ctx, backoff)
		}
		if ctx.Err() != nil {
			// What was handled before it is kept; this one is the next holder's.
			return errors.Join(errFenced, r.acknowledge(ctx, 0))
		}
	}
}
