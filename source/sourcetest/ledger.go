// Package sourcetest is the suite that every source must pass: Run. The records of
// each test are counted by their value.
package sourcetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Ledger notes what handlers were given and what they were done with.
type Ledger struct {
	mu      sync.Mutex
	done    map[string]int      // by value
	orders  map[string][]string // by key: values as they were done with
	ids     map[string]string   // by ID: the value
	wrong   []string
	changed chan struct{}
}

// NewLedger returns an empty one.
func NewLedger() *Ledger {
	return &Ledger{done: make(map[string]int), orders: make(map[string][]string), ids: make(map[string]string), changed: make(chan struct{})}
}

// Done notes that a record is done with.
func (l *Ledger) Done(rec *belfry.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	value := string(rec.Value)
	l.done[value]++
	if l.done[value] == 1 { // what comes again may come late
		l.orders[rec.Key] = append(l.orders[rec.Key], value)
	}
	if other, there := l.ids[rec.ID]; rec.ID != "" && there && other != value {
		l.wrong = append(l.wrong, fmt.Sprintf("%s and %s have one ID, %s", other, value, rec.ID))
	}
	l.ids[rec.ID] = value
	close(l.changed)
	l.changed = make(chan struct{})
}

// Await waits until n values are done with, or ctx ends.
func (l *Ledger) Await(ctx context.Context, n int) {
	l.until(ctx, func() bool { return len(l.done) >= n })
}

// AwaitValue waits until a value is done with, or ctx ends.
func (l *Ledger) AwaitValue(ctx context.Context, value string) {
	l.until(ctx, func() bool { return l.done[value] > 0 })
}

// until waits for a condition that is asked under l.mu.
func (l *Ledger) until(ctx context.Context, there func() bool) {
	for {
		l.mu.Lock()
		ok, changed := there(), l.changed
		l.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// Count returns how often a value was done with.
func (l *Ledger) Count(value string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.done[value]
}

// Verdict compares with what was sent, key and value, in the order of each key.
// With again, values may come more than once.
func (l *Ledger) Verdict(sent []Sent, again bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	wrong := slices.Clone(l.wrong)
	want := make(map[string][]string)
	for _, s := range sent {
		want[s.Key] = append(want[s.Key], s.Value)
		if n := l.done[s.Value]; n == 0 || n > 1 && !again {
			wrong = append(wrong, fmt.Sprintf("%s came %d times", s.Value, n))
		}
	}
	for key, order := range want {
		if got := l.orders[key]; len(wrong) == 0 && !slices.Equal(got, order) {
			wrong = append(wrong, fmt.Sprintf("key %q: the order is %.200q, want %.200q", key, got, order))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%d wrong of %d: %s", len(wrong), len(sent), strings.Join(wrong[:min(5, len(wrong))], ", "))
}

// Sent is a record that was sent.
type Sent struct{ Key, Value string }

// within is a context that ends with the test, or after a time in which even a slow
// machine is done.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	t.Cleanup(cancel)
	return ctx
}
