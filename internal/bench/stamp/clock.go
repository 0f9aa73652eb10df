package stamp

import "time"

// Clock tells the time that stamps carry. All clocks of one machine agree,
// whatever process they are in: they read the system's monotonic clock. The
// zero value is not usable; see NewClock. Safe for concurrent use.
type Clock struct {
	base  int64
	since time.Time
}

// NewClock returns a clock.
func NewClock() Clock {
	return Clock{base: monotonic(), since: time.Now()}
}

// Now returns the nanoseconds since the machine's clock began. It makes no
// system call.
func (c Clock) Now() int64 { return c.base + int64(time.Since(c.since)) }
