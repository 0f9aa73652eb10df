package archive

import (
	"context"
	"errors"
	"sync"
	"time"
)

// writer gathers what several goroutines write into batches: while one batch is
// written, the next collects. There is one writer at a time, so that entries with one
// key become rows in their order.
type writer struct {
	o       *Options
	account *account
	more    chan struct{} // something waits
	full    chan struct{} // a batch waits that is worth it

	mu      sync.Mutex
	waiting []*job
	entries int // of all that wait
	bytes   int
}

// job is what one goroutine writes and waits for.
type job struct {
	entries []Entry
	size    int
	refused map[int]error // by the place in entries
	err     error
	done    chan struct{}
}

func newWriter(o *Options, account *account) *writer {
	return &writer{o: o, account: account, more: make(chan struct{}, 1), full: make(chan struct{}, 1)}
}

// write returns once the entries are kept, but for those that are refused. An error
// says that they may not be.
func (w *writer) write(ctx context.Context, entries []Entry, size int) (refused map[int]error, err error) {
	j := &job{entries: entries, size: size, done: make(chan struct{})}
	w.add(j)
	select {
	case <-j.done:
		return j.refused, j.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (w *writer) add(j *job) {
	w.mu.Lock()
	w.waiting = append(w.waiting, j)
	w.entries += len(j.entries)
	w.bytes += j.size
	isFull := w.isFull()
	w.mu.Unlock()
	signal(w.more)
	if isFull {
		signal(w.full)
	}
}

// isFull reports whether what waits is worth a batch, by the tenth of the most: a source
// may hand out no more at once. The caller holds the lock.
func (w *writer) isFull() bool {
	const worth = 10
	return w.entries >= w.o.BatchRecords/worth || w.bytes >= w.o.BatchBytes/worth
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run writes until ctx ends.
func (w *writer) run(ctx context.Context) {
	var last time.Time
	for w.wait(ctx, last) {
		jobs := w.take()
		if len(jobs) == 0 {
			continue
		}
		last = time.Now()
		w.append(ctx, jobs)
	}
}

// wait returns true when a batch is to be written, and false when ctx has ended.
func (w *writer) wait(ctx context.Context, last time.Time) bool {
	select {
	case <-w.more:
	case <-ctx.Done():
		return false
	}
	pause := time.Until(last.Add(w.o.Pace))
	if w.o.Pace < 0 || pause <= 0 {
		return true
	}
	select {
	case <-time.After(pause):
	case <-w.full:
	case <-ctx.Done():
		return false
	}
	return true
}

// take takes the jobs of one batch: at least one, if there are any.
func (w *writer) take() []*job {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, entries, bytes := 0, 0, 0
	for _, j := range w.waiting {
		if n > 0 && (entries+len(j.entries) > w.o.BatchRecords || bytes+j.size > w.o.BatchBytes) {
			signal(w.more)
			break
		}
		n, entries, bytes = n+1, entries+len(j.entries), bytes+j.size
	}
	jobs := w.waiting[:n:n]
	w.waiting = w.waiting[n:]
	w.entries -= entries
	w.bytes -= bytes
	if !w.isFull() {
		select { // it was for the jobs that are taken
		case <-w.full:
		default:
		}
	}
	return jobs
}

// append writes jobs, and tells those who wait. It returns before only if ctx ends.
func (w *writer) append(ctx context.Context, jobs []*job) {
	entries := jobs[0].entries
	if len(jobs) > 1 {
		entries = nil
		for _, j := range jobs {
			entries = append(entries, j.entries...)
		}
	}
	refused := make(map[int]error)
	err := w.keep(ctx, entries, 0, refused)
	from := 0
	for _, j := range jobs {
		j.err = err
		for i := range j.entries {
			if reason := refused[from+i]; reason != nil {
				if j.refused == nil {
					j.refused = make(map[int]error)
				}
				j.refused[i] = reason
			}
		}
		from += len(j.entries)
		close(j.done)
	}
}

// keep appends entries, and halves what is refused until it knows which entries are:
// refused gets the reason for each, by its place, counted from base.
func (w *writer) keep(ctx context.Context, entries []Entry, base int, refused map[int]error) error {
	err := w.appendPatiently(ctx, entries)
	var no *RefusedError
	if !errors.As(err, &no) {
		return err
	}
	if len(entries) == 1 {
		refused[base] = no.Reason
		return nil
	}
	half := len(entries) / 2
	if err := w.keep(ctx, entries[:half], base, refused); err != nil {
		return err
	}
	return w.keep(ctx, entries[half:], base+half, refused)
}

// appendPatiently tries until the store has the entries or refuses them, or ctx ends.
func (w *writer) appendPatiently(ctx context.Context, entries []Entry) error {
	for wait := w.o.RetryMin; ; wait = min(2*wait, w.o.RetryMax) {
		err := w.o.Store.Append(ctx, entries)
		var no *RefusedError
		if err == nil || errors.As(err, &no) {
			w.recovered()
			if err == nil {
				w.account.wrote(len(entries))
			}
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.failed(err, wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (w *writer) failed(err error, wait time.Duration) {
	if w.account.failed(err) {
		w.o.Logger.Error("archive: the store fails; nothing is lost, the source waits", "error", err, "again", wait)
	}
}

func (w *writer) recovered() {
	if away := w.account.recovered(); away > 0 {
		w.o.Logger.Info("archive: the store works again", "after", away)
	}
}
