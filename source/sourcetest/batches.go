package sourcetest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/seed-09a96375/belfry"
)

// readBatches skips the test if the source has no batches.
func readBatches(t *testing.T, p Place, most belfry.BatchLimit, handle func(context.Context, []*belfry.Record) error) {
	t.Helper()
	s, ok := p.Open(t).(belfry.BatchSource)
	if !ok {
		t.Skip("this source has no batches")
	}
	start(t, func(ctx context.Context) error { return s.RunBatches(ctx, most, handle) })
	if p.Ready != nil {
		p.Ready(t)
	}
}

func noteAll(l *Ledger, batch []*belfry.Record) {
	for _, rec := range batch {
		l.Done(rec)
	}
}

func batches(t *testing.T, p Place) {
	l := NewLedger()
	var sent []Sent
	if p.Ready == nil {
		sent = send(t, p, 0, 50)
	}
	var largest atomic.Int32
	first := make(chan struct{})
	readBatches(t, p, belfry.BatchLimit{Records: 7}, func(_ context.Context, batch []*belfry.Record) error {
		<-first                                               // now some wait
		largest.Store(max(largest.Load(), int32(len(batch)))) //nolint:gosec // at most 50
		noteAll(l, batch)
		return nil
	})
	if p.Ready != nil {
		sent = send(t, p, 0, 50)
	}
	close(first)
	expect(t, l, sent, false)
	if n := largest.Load(); n > 7 || n < 2 {
		t.Errorf("the largest batch has %d records, may have 7", n)
	}
}

func poisonBatch(t *testing.T, p Place) {
	l := NewLedger()
	readBatches(t, p, belfry.BatchLimit{}, func(_ context.Context, batch []*belfry.Record) error {
		reasons := make(map[int]error)
		for i, rec := range batch {
			if string(rec.Value) == "bad" {
				reasons[i] = errPoison
				continue
			}
			l.Done(rec)
		}
		if len(reasons) > 0 {
			return &belfry.PoisonBatchError{Reasons: reasons}
		}
		return nil
	})
	sent := send(t, p, 0, 5)
	p.Send(t, Sent{"k", "bad"})
	sent = append(sent, send(t, p, 5, 5)...)
	expect(t, l, sent, false)
	ctx := within(t)
	for len(p.Dead(t)) == 0 && ctx.Err() == nil {
		continue // it is put aside after the call
	}
	mustBeDead(t, p)
}

func failedBatch(t *testing.T, p Place) {
	l := NewLedger()
	var left atomic.Int32
	left.Store(2)
	readBatches(t, p, belfry.BatchLimit{Records: 4}, func(_ context.Context, batch []*belfry.Record) error {
		if left.Add(-1) >= 0 {
			return errors.New("not now")
		}
		noteAll(l, batch)
		return nil
	})
	expect(t, l, send(t, p, 0, 10), false)
}

// partialBatch handles of each batch the first, or finds it to be poison, and fails
// then: only what comes after that may come again.
func partialBatch(t *testing.T, p Place) {
	l := NewLedger()
	var reached atomic.Bool // a batch of several was handled in part
	first := make(chan struct{})
	readBatches(t, p, belfry.BatchLimit{}, func(_ context.Context, batch []*belfry.Record) error {
		<-first // now some wait
		var reasons map[int]error
		if string(batch[0].Value) == "bad" {
			reasons = map[int]error{0: errPoison}
		} else {
			l.Done(batch[0])
		}
		if len(batch) > 1 {
			reached.Store(true)
			return &belfry.PartialBatchError{Done: 1, Reasons: reasons, Err: errors.New("not now")}
		}
		if reasons != nil {
			return &belfry.PoisonBatchError{Reasons: reasons}
		}
		return nil
	})
	sent := send(t, p, 0, 4)
	p.Send(t, Sent{"k", "bad"})
	sent = append(sent, send(t, p, 4, 6)...)
	close(first)
	expect(t, l, sent, false)
	for ctx := within(t); len(p.Dead(t)) == 0 && ctx.Err() == nil; {
		continue // it is put aside after the call
	}
	mustBeDead(t, p)
	if !reached.Load() {
		t.Error("no batch had several records")
	}
}

func lag(t *testing.T, p Place) {
	s := p.Open(t)
	reporter, ok := s.(belfry.LagReporter)
	if !ok {
		t.Skip("this source does not know its lag")
	}
	if got, err := reporter.Lag(t.Context()); err != nil || got != (belfry.Lag{}) {
		t.Errorf("lag is %+v, %v before there is anything: want none", got, err)
	}
	l := NewLedger()
	r := start(t, func(ctx context.Context) error { return s.Run(ctx, note(l)) })
	send(t, p, 0, 5)
	l.Await(within(t), 5)
	r.stop()
	if got, err := reporter.Lag(t.Context()); err != nil || got != (belfry.Lag{}) {
		t.Errorf("lag is %+v, %v: want none", got, err)
	}
	send(t, p, 5, 3)
	if got, err := reporter.Lag(t.Context()); err != nil || got.Records != 3 || got.Age <= 0 {
		t.Errorf("lag is %+v, %v: want 3 records", got, err)
	}
}
