package consume

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/seed-09a96375/belfry"
)

// item is one entry that is held. Its own goroutine alone writes to it; tries is
// under the lock of the consumer.
type item struct {
	c      *consumer
	entry  *Entry
	tries  int           // deliveries, the present one included
	before *item         // held here, to be done with first; nil: none
	twin   *item         // held here, with the same ID, to be done with first; nil: none
	ticket *ticket       // for a handler; nil: not asked for
	places chan struct{} // that it has one of; nil: given back
	ctx    context.Context
	cancel context.CancelCauseFunc

	settled bool          // the store knows that it is done with; read after gone
	gone    chan struct{} // closed when it is no longer held
}

func newItem(c *consumer, e *Entry, places chan struct{}) *item {
	it := &item{c: c, entry: e, places: places, tries: max(e.Tries, 1), gone: make(chan struct{})}
	it.ctx, it.cancel = context.WithCancelCause(c.life)
	return it
}

func (it *item) lost() bool { return errors.Is(context.Cause(it.ctx), ErrLost) }

// run brings the entry to its end, or leaves it to others.
func (it *item) run() {
	defer it.free()
	defer it.c.drop(it)
	defer it.returnTicket()
	if !it.turn() {
		return
	}
	for {
		after, again := it.try()
		if !again {
			return
		}
		it.stepAside()
		if !it.pause(after) {
			return
		}
	}
}

func (it *item) returnTicket() {
	if it.ticket != nil {
		it.c.handlers.back(it.ticket)
		it.ticket = nil
	}
}

// try handles the entry once. It says whether to try again, and when.
func (it *item) try() (after time.Duration, again bool) {
	if it.ticket == nil {
		it.ticket = it.c.handlers.ask()
	}
	select {
	case <-it.ticket.granted:
	case <-it.c.stopping.Done():
	case <-it.ctx.Done():
	}
	defer it.returnTicket()
	if !it.alive() {
		return 0, false
	}
	if reason := it.hopeless(); reason != "" {
		it.bury(reason)
		return 0, false
	}
	if it.c.o.Dedup > 0 {
		switch known, err := it.c.store.Handled(it.ctx, it.entry); {
		case err != nil:
			it.c.o.Logger.Warn("queue: ask whether the event was handled", it.about("err", err)...)
			return troubleLongest / 4, true
		case known:
			return it.settle(Result{})
		}
	}
	result, err := it.handled()
	switch {
	case err == nil:
		return it.settle(result)
	case it.ctx.Err() != nil: // it was lost, or the consumer has stopped
		it.c.o.Logger.Warn("queue: handler ended early", it.about("err", context.Cause(it.ctx))...)
		return 0, false
	}
	return it.failed(err)
}

// hopeless says why there is no use in a try.
func (it *item) hopeless() string {
	switch o := it.c.o; {
	case it.entry.Fault != nil:
		return it.entry.Fault.Error()
	case o.MaxTries > 0 && it.tries > o.MaxTries:
		return fmt.Sprintf("delivered %d times without an end: its consumers died, or lost it", it.tries-1)
	}
	return ""
}

// handled runs the handler. A panic is an error.
func (it *item) handled() (r Result, err error) {
	ctx := it.ctx
	if it.c.o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, it.c.o.Timeout, ErrTimeout)
		defer cancel()
	}
	defer func() {
		if p := recover(); p != nil {
			it.c.o.Logger.Error("queue: handler panics", it.about("panic", p, "stack", string(debug.Stack()))...)
			err = fmt.Errorf("handler panics: %v", p)
		}
	}()
	d := it.entry.Delivery
	d.Tries = it.tries
	return it.c.handle(ctx, &d)
}

// failed decides what an error of the handler means.
func (it *item) failed(err error) (after time.Duration, again bool) {
	var poison *belfry.PoisonError
	o := it.c.o
	switch {
	case errors.As(err, &poison):
		it.bury(err.Error())
		return 0, false
	case o.MaxTries > 0 && it.tries >= o.MaxTries:
		it.bury(err.Error())
		return 0, false
	case o.MaxAge > 0 && !it.entry.Time.IsZero() && time.Since(it.entry.Time) > o.MaxAge:
		it.bury(fmt.Sprintf("%v (older than %v)", err, o.MaxAge))
		return 0, false
	}
	after = it.backoff(err)
	o.Logger.Info("queue: handler failed", it.about("err", err, "again", after)...)
	it.c.mu.Lock()
	it.tries++
	it.c.mu.Unlock()
	return after, true
}

func (it *item) backoff(err error) time.Duration {
	d := it.c.o.MaxBackoff
	if shift := it.tries - 1; shift < 30 && it.c.o.Backoff<<shift>>shift == it.c.o.Backoff {
		d = min(d, it.c.o.Backoff<<shift)
	}
	d = spread(d)
	var retry *belfry.RetryError
	if errors.As(err, &retry) {
		d = max(d, retry.After)
	}
	return d
}

// settle records the end, however long the store is away: until then another
// consumer would handle the event again. Commands that are refused are a try that
// failed.
func (it *item) settle(r Result) (after time.Duration, again bool) {
	refused := it.record("acknowledge", func(ctx context.Context) error {
		first, err := it.c.store.Settle(ctx, it.entry, r)
		if err == nil && !first {
			it.c.o.Logger.Warn("queue: event was done with before, or is gone from the queue", it.about()...)
		}
		return err
	})
	if refused != nil {
		return it.failed(refused)
	}
	return 0, false
}

func (it *item) bury(reason string) {
	it.c.o.Logger.Warn("queue: dead letter", it.about("reason", reason)...)
	it.entry.Tries = it.tries
	_ = it.record("bury", func(ctx context.Context) error { return it.c.store.Bury(ctx, it.entry, reason) })
}

// record repeats f until it succeeds, or the consumer must end. Its error is
// ErrRefused.
func (it *item) record(doing string, f func(context.Context) error) error {
	var t trouble
	for {
		err := f(it.ctx)
		switch {
		case err == nil:
			it.settled = true
			return nil
		case it.ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrRefused):
			return err
		}
		it.c.o.Logger.Warn("queue: "+doing, it.about("err", err)...)
		if !Sleep(it.ctx, t.next()) {
			return nil
		}
	}
}

// about names the event in the log.
func (it *item) about(more ...any) []any {
	return append([]any{"entry", it.entry.Entry, "id", it.entry.ID, "event", it.entry.Name, "tries", it.tries}, more...)
}
