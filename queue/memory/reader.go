package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/queue/consume"
)

// reader is a group as one of its consumers sees it. It implements consume.Store.
type reader struct {
	q        *Queue
	g        *group
	consumer string
	dedup    time.Duration
}

// Read implements consume.Store.
func (r *reader) Read(ctx context.Context, n int, wait time.Duration) ([]*consume.Entry, error) {
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	for {
		entries, arrived := r.next(n)
		if len(entries) > 0 {
			return entries, nil
		}
		select {
		case <-arrived:
		case <-timeout.C:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (r *reader) next(n int) (entries []*consume.Entry, arrived <-chan struct{}) {
	r.q.mu.Lock()
	defer r.q.mu.Unlock()
	for ; len(entries) < n && r.g.next < r.q.first+len(r.q.events); r.g.next++ {
		if only := r.q.events[r.g.next-r.q.first].only; only != "" && only != r.g.name {
			continue
		}
		r.g.pending[r.g.next] = &holding{consumer: r.consumer, seen: time.Now(), tries: 1}
		entries = append(entries, r.entry(r.g.next))
	}
	return entries, r.q.arrived
}

// entry makes an entry of an event that is pending.
func (r *reader) entry(number int) *consume.Entry {
	e := r.q.events[number-r.q.first]
	entry := &consume.Entry{}
	entry.Event, entry.Entry, entry.Tries = e.Event, name(number), r.g.pending[number].tries
	if e.after >= 0 {
		entry.After = name(e.after)
	}
	return entry
}

// name has the digits that make names sort like numbers.
func name(number int) string { return fmt.Sprintf("%019d", number) }

// numberOf is the number of an entry, -1 if it has none.
func numberOf(entry string) int {
	n, err := strconv.Atoi(entry)
	if err != nil {
		return -1
	}
	return n
}

// Reclaim implements consume.Store.
func (r *reader) Reclaim(_ context.Context, n int, idle time.Duration) ([]*consume.Entry, error) {
	now := time.Now()
	return r.pick(n, func(_ int, h *holding) bool {
		if now.Sub(h.seen) < idle {
			return false
		}
		h.consumer, h.seen, h.tries = r.consumer, now, h.tries+1
		return true
	}), nil
}

// Mine implements consume.Store.
func (r *reader) Mine(_ context.Context, after string, n int) ([]*consume.Entry, error) {
	from := numberOf(after)
	return r.pick(n, func(number int, h *holding) bool { return number > from && h.consumer == r.consumer }), nil
}

// pick returns the first n that are pending and wanted.
func (r *reader) pick(n int, want func(int, *holding) bool) (entries []*consume.Entry) {
	r.q.mu.Lock()
	defer r.q.mu.Unlock()
	for _, number := range slices.Sorted(maps.Keys(r.g.pending)) {
		if len(entries) == n {
			break
		}
		if want(number, r.g.pending[number]) {
			entries = append(entries, r.entry(number))
		}
	}
	return entries
}

// Hold implements consume.Store.
func (r *reader) Hold(_ context.Context, tries map[string]int) (lost []string, err error) {
	return r.hold(time.Now(), tries, 0), nil
}

// Release implements consume.Store.
func (r *reader) Release(_ context.Context, tries map[string]int) error {
	r.hold(time.Time{}, tries, 1)
	return nil
}

func (r *reader) hold(seen time.Time, tries map[string]int, less int) (lost []string) {
	r.q.mu.Lock()
	defer r.q.mu.Unlock()
	for entry, n := range tries {
		h := r.g.pending[numberOf(entry)]
		if h == nil || h.consumer != r.consumer {
			lost = append(lost, entry)
			continue
		}
		h.seen, h.tries = seen, n-less
	}
	return lost
}

// Waits implements consume.Store.
func (r *reader) Waits(_ context.Context, entry string) (bool, error) {
	r.q.mu.Lock()
	defer r.q.mu.Unlock()
	return r.g.pending[numberOf(entry)] != nil, nil
}

// Handled implements consume.Store.
func (r *reader) Handled(_ context.Context, e *consume.Entry) (bool, error) {
	r.q.mu.Lock()
	defer r.q.mu.Unlock()
	_, known := r.g.handled.get(time.Now(), e.ID)
	return known, nil
}

// Settle implements consume.Store. It has nothing that commands could be for.
func (r *reader) Settle(_ context.Context, e *consume.Entry, result consume.Result) (first bool, err error) {
	if len(result.With) > 0 {
		return false, fmt.Errorf("%w: a queue in memory has none", consume.ErrRefused)
	}
	if result.Answer != nil && e.Reply {
		if err := checkAnswer(result.Answer); err != nil {
			return false, fmt.Errorf("%w: %w", consume.ErrRefused, err)
		}
	}
	r.q.mu.Lock()
	defer r.q.mu.Unlock()
	now := time.Now()
	_, handled := r.g.handled.get(now, e.ID)
	first = r.g.end(numberOf(e.Entry)) && (r.dedup == 0 || !handled)
	if !first {
		return false, nil
	}
	if r.dedup > 0 {
		r.g.handled.put(now.Add(r.dedup), e.ID, struct{}{})
	}
	if result.Answer != nil && e.Reply {
		_ = r.q.answer(e.ID, result.Answer) // the first counts
	}
	r.q.trim()
	return true, nil
}

// Bury implements consume.Store.
func (r *reader) Bury(_ context.Context, e *consume.Entry, reason string) error {
	r.q.mu.Lock()
	defer r.q.mu.Unlock()
	if !r.g.end(numberOf(e.Entry)) {
		return nil
	}
	r.q.dead = append(r.q.dead, Dead{Event: e.Event, Group: r.g.name, Reason: reason, Tries: e.Tries, Time: time.Now()})
	if more := len(r.q.dead) - r.q.opts.MaxDead; more > 0 {
		r.q.dead = slices.Delete(r.q.dead, 0, more)
	}
	if e.Reply {
		_ = r.q.answer(e.ID, &belfry.Answer{Error: "the event could not be handled"}) // the first counts
	}
	r.q.trim()
	return nil
}
