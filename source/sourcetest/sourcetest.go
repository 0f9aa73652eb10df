package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed-09a96375/belfry"
)

// Place is one stream, topic or channel.
type Place struct {
	// Open returns the source as a node has it. Several nodes share the records.
	Open func(t testing.TB) belfry.Source
	// Send adds a record, after all that it has added before.
	Send func(t testing.TB, s Sent)
	// Ready waits until some node gets what is sent from now on. nil: what is sent
	// waits for them.
	Ready func(t testing.TB)
	// Dead returns the reasons of what was put aside.
	Dead func(t testing.TB) []string
}

// Run runs the suite. Each test has a Place of its own.
func Run(t *testing.T, open func(t *testing.T) Place) {
	for name, test := range map[string]func(*testing.T, Place){
		"each record once, in order":  once,
		"a failure is tried again":    failure,
		"poison is put aside":         poison,
		"no call after the end":       end,
		"another node goes on":        takeover,
		"batches":                     batches,
		"poison in a batch":           poisonBatch,
		"a batch that fails is again": failedBatch,
		"what is left of a batch":     partialBatch,
		"lag":                         lag,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// reading is a node that reads.
type reading struct {
	stop func()
	done chan struct{}
}

// start runs a source until stop, which waits for its end.
func start(t testing.TB, run func(context.Context) error) *reading {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &reading{done: make(chan struct{})}
	go func() {
		defer close(r.done)
		if err := run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	r.stop = func() {
		cancel()
		<-r.done
	}
	t.Cleanup(r.stop)
	return r
}

func read(t testing.TB, p Place, handle func(context.Context, *belfry.Record) error) *reading {
	t.Helper()
	s := p.Open(t)
	r := start(t, func(ctx context.Context) error { return s.Run(ctx, handle) })
	if p.Ready != nil {
		p.Ready(t)
	}
	return r
}

// send sends n records with a few keys.
func send(t testing.TB, p Place, from, n int) (all []Sent) {
	t.Helper()
	for i := from; i < from+n; i++ {
		s := Sent{fmt.Sprint("k", i%3), fmt.Sprint("v", i)}
		p.Send(t, s)
		all = append(all, s)
	}
	return all
}

func note(l *Ledger) func(context.Context, *belfry.Record) error {
	return func(_ context.Context, rec *belfry.Record) error {
		l.Done(rec)
		return nil
	}
}

func expect(t testing.TB, l *Ledger, sent []Sent, again bool) {
	t.Helper()
	l.Await(within(t), len(sent))
	if err := l.Verdict(sent, again); err != nil {
		t.Error(err)
	}
}

func once(t *testing.T, p Place) {
	l := NewLedger()
	nodes := []*reading{read(t, p, note(l)), read(t, p, note(l)), read(t, p, note(l))}
	sent := send(t, p, 0, 300)
	l.Await(within(t), len(sent))
	for _, n := range nodes {
		n.stop()
	}
	expect(t, l, sent, false)
}

func failure(t *testing.T, p Place) {
	l := NewLedger()
	var left atomic.Int32
	left.Store(3)
	read(t, p, func(_ context.Context, rec *belfry.Record) error {
		if string(rec.Value) == "v1" && left.Add(-1) >= 0 {
			return errors.New("not now")
		}
		l.Done(rec)
		return nil
	})
	expect(t, l, send(t, p, 0, 6), false)
	if n := left.Load(); n >= 0 {
		t.Errorf("%d failures were not tried again", n+1)
	}
}

var errPoison = errors.New("field x is missing")

func poison(t *testing.T, p Place) {
	l := NewLedger()
	read(t, p, func(_ context.Context, rec *belfry.Record) error {
		if string(rec.Value) == "bad" {
			return &belfry.PoisonError{Reason: errPoison}
		}
		l.Done(rec)
		return nil
	})
	p.Send(t, Sent{"k", "bad"})
	expect(t, l, send(t, p, 0, 3), false)
	mustBeDead(t, p)
}

func mustBeDead(t testing.TB, p Place) {
	t.Helper()
	if got := p.Dead(t); len(got) != 1 || got[0] != errPoison.Error() {
		t.Errorf("put aside for %q, want %q", got, errPoison)
	}
}

func end(t *testing.T, p Place) {
	begun, let := make(chan struct{}), make(chan struct{})
	var calls, after atomic.Int32
	var ended atomic.Bool
	var first sync.Once
	s := p.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	returned := make(chan error, 1)
	go func() {
		returned <- s.Run(ctx, func(context.Context, *belfry.Record) error {
			calls.Add(1)
			if ended.Load() {
				after.Add(1)
			}
			first.Do(func() { close(begun) })
			<-let
			return nil
		})
	}()
	if p.Ready != nil {
		p.Ready(t)
	}
	for i := range 3 {
		p.Send(t, Sent{"k", fmt.Sprint(i)})
	}
	<-begun
	ended.Store(true)
	cancel()
	select {
	case err := <-returned:
		t.Errorf("Run returned %v while a call was under way", err)
	default:
	}
	close(let)
	if err := <-returned; err != nil {
		t.Errorf("Run: %v", err)
	}
	if after.Load() > 0 {
		t.Error("a call began after ctx had ended")
	}
}

func takeover(t *testing.T, p Place) {
	l := NewLedger()
	one := read(t, p, note(l))
	sent := send(t, p, 0, 20)
	l.Await(within(t), 20)
	one.stop()
	if p.Ready == nil {
		sent = append(sent, send(t, p, 20, 20)...) // nobody is there
	}
	read(t, p, note(l))
	expect(t, l, append(sent, send(t, p, 40, 20)...), false)
}
