package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/seed-09a96375/belfry"
)

// handler is what Run and RunBatches give.
type handler func(context.Context, []*belfry.Record) error

// work handles the records of a lane, until the partition is given up.
func (p *partition) work(l *lane) {
	for {
		batch := p.next(l)
		if len(batch) == 0 || !p.finish(batch) {
			return
		}
	}
}

// finish handles records until that succeeds. It returns false if the partition is
// given up before.
func (p *partition) finish(batch []item) bool {
	records := p.convert(batch)
	return p.until("handle", func() (int64, error) {
		at := batch[0].Offset
		n, poison, err := belfry.BatchVerdict(p.run.handle(p.ctx, records), len(records))
		if n > 0 {
			if !p.conclude(batch[:n], poison) {
				return at, errGivenUp
			}
			batch, records = batch[n:], records[n:]
		}
		return at, err
	})
}

var errGivenUp = errors.New("the partition is given up")

// conclude puts aside what is poison; all are done with then. It returns false if the
// partition is given up before.
func (p *partition) conclude(batch []item, poison map[int]error) bool {
	aside := len(poison) == 0 || p.until("put a record aside", func() (int64, error) {
		return batch[0].Offset, p.putAside(batch, poison)
	})
	if aside {
		p.run.handled.Add(uint64(len(batch)))
		p.done(batch)
	}
	return aside
}

// firstPause is the first pause between two tries.
const firstPause = 50 * time.Millisecond

// until repeats f, with growing pauses, until it returns no error. It returns false if
// the partition is given up before. f says what it was at.
func (p *partition) until(what string, f func() (offset int64, err error)) bool {
	for pause := firstPause; !p.over(); pause = min(2*pause, p.run.o.RetryMax) {
		offset, err := f()
		if err == nil {
			return true
		}
		p.failed(what, offset, err)
		select {
		case <-time.After(pause/2 + rand.N(pause/2)): //nolint:gosec // guards nothing
		case <-p.stopped:
		case <-p.run.ended:
		}
	}
	return false
}

func (p *partition) failed(what string, offset int64, err error) {
	if p.ctx.Err() != nil {
		return // it was cut off: another member handles it
	}
	p.run.retries.Add(1)
	p.mu.Lock()
	p.fault = fmt.Sprintf("%s: offset %d: %v", what, offset, err)
	p.mu.Unlock()
	p.run.report(what, err, slog.String("topic", p.at.topic), slog.Int("partition", int(p.at.partition)), slog.Int64("offset", offset))
}

// one handles a single record.
func one(ctx context.Context, records []*belfry.Record, handle func(context.Context, *belfry.Record) error) error {
	err := guarded(func() error { return handle(ctx, records[0]) })
	var crash *panicError
	switch {
	case errors.Is(err, belfry.ErrDuplicate):
		return nil
	case errors.As(err, &crash):
		return &belfry.PoisonError{Reason: err}
	}
	return err
}

// panicError is a panic of a handler.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.value, e.stack) }

func guarded(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{v, debug.Stack()}
		}
	}()
	return f()
}
