package archive_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
)

// store is a Store that fails, refuses and waits as a test wants.
type store struct {
	mu      sync.Mutex
	rows    map[string]archive.Entry
	order   []string
	batches []int // how many entries each call had
	fail    error
	refuse  map[string]bool // ids
	wait    chan struct{}   // not nil: Append waits for it
	tended  int
}

var errAway = errors.New("the database is away")

func (m *store) Append(ctx context.Context, entries []archive.Entry) error {
	m.mu.Lock()
	wait := m.wait
	m.mu.Unlock()
	if wait != nil {
		select {
		case <-wait:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.batches = append(m.batches, len(entries))
	if m.fail != nil {
		return m.fail
	}
	for _, e := range entries {
		if m.refuse[e.ID] {
			return &archive.RefusedError{Reason: errors.New("no " + e.ID)}
		}
	}
	if m.rows == nil {
		m.rows = make(map[string]archive.Entry)
	}
	for _, e := range entries {
		if _, there := m.rows[e.ID]; !there {
			m.rows[e.ID] = e
			m.order = append(m.order, e.ID)
		}
	}
	return nil
}

func (m *store) Page(context.Context, archive.Query) ([]archive.Entry, error) { return nil, nil }

func (m *store) Tend(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tended++
	if m.tended == 1 {
		return errAway
	}
	return nil
}

func (m *store) set(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

func (m *store) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.rows)
}

// feed is a BatchSource: what is put into in comes out in batches, one at a time.
type feed struct {
	in   chan []*belfry.Record
	mu   sync.Mutex
	done map[string]error // nil: done with, else why it was put aside
	left []string         // ids of those that are to come again
}

func newFeed() *feed {
	return &feed{in: make(chan []*belfry.Record, 100), done: make(map[string]error)}
}

func (f *feed) Run(context.Context, func(context.Context, *belfry.Record) error) error {
	return errors.New("batches are wanted")
}

func (f *feed) RunBatches(ctx context.Context, _ belfry.BatchLimit, handle func(context.Context, []*belfry.Record) error) error {
	for {
		select {
		case records := <-f.in:
			f.settle(records, handle(ctx, records))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *feed) settle(records []*belfry.Record, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var poison *belfry.PoisonBatchError
	for i, r := range records {
		switch {
		case err == nil:
			f.done[r.ID] = nil
		case errors.As(err, &poison):
			f.done[r.ID] = poison.Reasons[i]
		default:
			f.left = append(f.left, r.ID)
		}
	}
}

func (f *feed) outcome() map[string]error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.done)
}

func (f *feed) Lag(context.Context) (belfry.Lag, error) {
	return belfry.Lag{Records: 7, Age: time.Minute}, nil
}

// record is of a time that is past for the clocks of bubbles, too.
func record(n int) *belfry.Record {
	past := time.Date(2000, 1, 1, 0, 0, 0, n, time.UTC)
	return &belfry.Record{ID: fmt.Sprintf("r%04d", n), Key: "lobby", Time: past, Value: []byte(`{"event":"say"}`)}
}

func records(from, to int) []*belfry.Record {
	var all []*belfry.Record
	for n := from; n < to; n++ {
		all = append(all, record(n))
	}
	return all
}
