package archive

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Reader reads the past of rooms so that it joins the live stream without a hole and
// without a double.
//
// The archive is behind the bus by a little. So a page does not try to reach up to
// now: it ends at a position of the bus' log that lies Delay in the past, and names it.
// Whoever then joins the room with that offset gets from the log what came after it,
// which is what any client gets that comes back, and then what is live. Of each message
// it is the offset alone that says on which side it is.
//
//	archive  ───────────────●  Page.Offset = P: everything up to P, nothing after it
//	log            ·········○───────────▶ live: everything after P
//
// An archive that is later than Delay would leave a hole: what came up to P and is no row
// yet. ReaderOptions.Lag tells how late it is, and pages end so much earlier.
//
// Messages that are archived without their offset are told apart by their time, to a
// second: give entries offsets.
type Reader struct {
	o ReaderOptions

	mu      sync.Mutex
	marks   []mark    // positions, one each Interval, the oldest first
	written time.Time // all that the source got before is in the store
}

// ReaderOptions of a Reader. Store is needed.
type ReaderOptions struct {
	Store Store
	// Log is that of the bus. nil: pages name no offset, and hold all that is
	// archived.
	Log belfry.Log
	// Delay is how far behind the bus the archive may be: a page holds nothing that
	// is newer. It has to be more than the archive's lag, and less than the log
	// reaches back. Default 10 s.
	Delay time.Duration
	// Lag says what the archive has not written, of all that waits for it, with the age
	// of the oldest. Pages end Delay before that. While it fails, or tells of records
	// and no age, nothing more counts as written. It is asked each Interval. nil: the
	// archive is never later than Delay.
	Lag func(context.Context) (belfry.Lag, error)
	// Interval is how often the position of the bus is noted. Default 1 s.
	Interval time.Duration
}

// mark is a position of the log: what is after it was published after at.
type mark struct {
	at     time.Time
	offset belfry.Offset
}

// Page is a part of the past of a room.
type Page struct {
	Entries []Entry
	// Next is the position to ask for more with, as Before, or as After where the
	// oldest are first. Zero: there is no more.
	Next Position
	// Offset is the one to join the room with: Entries hold all of the room up to
	// it, as far as the query goes, and nothing after it. Empty: the bus keeps no log,
	// or the Reader has not watched it for long enough; see Reader.Run.
	Offset belfry.Offset
	// Behind is how late the archive is, if that is more than Delay. Offset is so much
	// older, or empty if it is later than the Reader remembers.
	Behind time.Duration
}

// NewReader returns a Reader. For pages to have offsets it has to Run.
func NewReader(o ReaderOptions) (*Reader, error) {
	if o.Store == nil {
		return nil, errors.New("archive: ReaderOptions.Store is nil: must be given")
	}
	if o.Delay < 0 || o.Interval < 0 {
		return nil, errors.New("archive: ReaderOptions.Delay and Interval must be positive, or 0 for the default")
	}
	if o.Delay == 0 {
		o.Delay = 10 * time.Second
	}
	if o.Interval == 0 {
		o.Interval = time.Second
	}
	return &Reader{o: o}, nil
}

// Run notes positions of the log until ctx ends. Offsets are in pages once it has run
// for Delay.
func (r *Reader) Run(ctx context.Context) {
	if r.o.Log == nil {
		return
	}
	next := time.NewTicker(r.o.Interval)
	defer next.Stop()
	for {
		r.note(ctx)
		select {
		case <-next.C:
		case <-ctx.Done():
			return
		}
	}
}

// maxMarks bounds the marks: an archive that is later than the log reaches back needs
// none.
const maxMarks = 1000

// note keeps the marks from the end of pages on.
func (r *Reader) note(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, r.o.Delay)
	defer cancel()
	written := r.readLag(ctx)
	offset, err := r.o.Log.Position(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if written.After(r.written) {
		r.written = written
	}
	if err == nil {
		r.marks = append(r.marks, mark{time.Now(), offset})
	}
	for len(r.marks) > 1 && !r.marks[1].at.After(r.limit()) || len(r.marks) > maxMarks {
		r.marks = r.marks[1:]
	}
}

// readLag returns the time before which all that the source got is written, zero if
// nobody knows.
func (r *Reader) readLag(ctx context.Context) time.Time {
	asked := time.Now()
	if r.o.Lag == nil {
		return asked
	}
	lag, err := r.o.Lag(ctx)
	if err != nil || lag.Records > 0 && lag.Age <= 0 {
		return time.Time{}
	}
	return asked.Add(-lag.Age)
}

// limit is the time at which pages end now, at the latest: what was published before it
// has come to the source within Delay, and is written. The caller holds the lock.
func (r *Reader) limit() time.Time {
	if r.o.Lag == nil {
		return time.Now().Add(-r.o.Delay)
	}
	return r.written.Add(-r.o.Delay)
}

// end returns the mark at which pages end now, none if no mark is old enough.
func (r *Reader) end() (mark, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found mark
	limit := r.limit()
	for _, m := range r.marks {
		if m.at.After(limit) {
			break
		}
		found = m
	}
	return found, found.offset != ""
}

// behind returns how late the archive is, 0 if that is within Delay or not known yet.
func (r *Reader) behind() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.o.Lag == nil || r.written.IsZero() {
		return 0
	}
	if late := time.Since(r.written); late > r.o.Delay {
		return late
	}
	return 0
}

// Page answers q. A query with After or Before, or with Oldest, is answered in the same
// way: nothing in it is after the offset that it names. Ask for the newest page first,
// join with its offset, and page back. If an archive that was late catches up meanwhile,
// and the clocks of nodes differ, a later page may hold what is after that offset.
func (r *Reader) Page(ctx context.Context, q Query) (*Page, error) {
	q, err := q.Complete()
	if err != nil {
		return nil, err
	}
	end, known := r.end()
	page, want := &Page{Offset: end.offset, Behind: r.behind()}, q.Limit
	for {
		q.Limit = min(want+1-len(page.Entries), MaxLimit) // one more: is there more?
		entries, err := r.o.Store.Page(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if known && r.isAfter(e, end) {
				continue
			}
			if len(page.Entries) == want {
				page.Next = page.Entries[want-1].Position()
				return page, nil
			}
			page.Entries = append(page.Entries, e)
		}
		if len(entries) < q.Limit {
			return page, nil
		}
		q = beyond(q, entries[len(entries)-1])
	}
}

// beyond is the query for what follows e.
func beyond(q Query, e Entry) Query {
	if q.Oldest {
		q.After = e.Position()
	} else {
		q.Before = e.Position()
	}
	return q
}

// apart is how far clocks of nodes may be apart for sure.
const apart = time.Minute

// isAfter reports whether e is in the log after the end of the page.
func (r *Reader) isAfter(e Entry, end mark) bool {
	switch {
	case e.Offset == "":
		return !e.Time.Before(end.at)
	case e.Time.Before(end.at.Add(-apart)):
		return false // perhaps of a log that is no more: its offsets tell nothing
	}
	return r.o.Log.Before(end.offset, e.Offset)
}
