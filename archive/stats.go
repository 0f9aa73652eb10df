package archive

import (
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Stats tell how an Archiver is.
type Stats struct {
	Rows     int64 // that were written, also if they were there already
	Batches  int64
	Poisoned int64 // records that were put aside
	Failures int64 // of the store
	// LastError is the last that the store said, with the time; nil: none yet.
	LastError   error
	LastErrorAt time.Time
	// Away is since when the store fails; zero: it does not.
	Away time.Time
	// LastWrite is when the last batch was written; zero: none yet.
	LastWrite time.Time
	// Rate is how many rows were written in a second, over the last ten or more.
	Rate float64
	// Lag is what the source had not done with when it was last asked, and LagErr
	// why it did not say. LagAt is when; zero: it was not asked, or cannot tell.
	Lag    belfry.Lag
	LagErr error
	LagAt  time.Time
}

// Stats returns the present state. Safe for concurrent use.
func (a *Archiver) Stats() Stats { return a.account.read(time.Now()) }

// account is what Stats shows.
type account struct {
	mu    sync.Mutex
	stats Stats
	// The rate is that of the last whole window, or of this one if it is longer.
	windowFrom time.Time
	windowRows int64
}

const rateWindow = 10 * time.Second

func (c *account) wrote(rows int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.roll(now)
	c.stats.Rows += int64(rows)
	c.stats.Batches++
	c.stats.LastWrite = now
}

// roll begins a new window if this one is over.
func (c *account) roll(now time.Time) {
	if c.windowFrom.IsZero() {
		c.windowFrom = now
		return
	}
	if d := now.Sub(c.windowFrom); d >= rateWindow {
		c.stats.Rate = float64(c.stats.Rows-c.windowRows) / d.Seconds()
		c.windowFrom, c.windowRows = now, c.stats.Rows
	}
}

func (c *account) poisoned(records int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Poisoned += int64(records)
}

// failed reports whether the store worked until now.
func (c *account) failed(err error) (first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.stats.Failures++
	c.stats.LastError, c.stats.LastErrorAt = err, now
	if first = c.stats.Away.IsZero(); first {
		c.stats.Away = now
	}
	return first
}

// recovered returns how long the store was away.
func (c *account) recovered() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stats.Away.IsZero() {
		return 0
	}
	away := time.Since(c.stats.Away)
	c.stats.Away = time.Time{}
	return away
}

func (c *account) lag(lag belfry.Lag, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.stats.Lag = lag
	}
	c.stats.LagErr, c.stats.LagAt = err, time.Now()
}

func (c *account) read(now time.Time) Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.roll(now)
	return c.stats
}
