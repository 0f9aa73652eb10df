// Package limit slows down who does something too often.
package limit

import (
	"context"
	"time"
)

// Rate is the generic cell rate algorithm (ITU-T I.371): it holds the time at
// which the next item would be due at the even rate, in ns since 1970. A burst of
// one second is free. The zero value is ready. Used by one goroutine at a time.
type Rate int64

// Wait blocks until the next item may be handled, or ctx ends. A rate of 0 or less
// sets no bound.
func (l *Rate) Wait(ctx context.Context, perSecond int) {
	if perSecond <= 0 {
		return
	}
	now := time.Now().UnixNano()
	due := max(int64(*l), now) + int64(time.Second)/int64(perSecond)
	*l = Rate(due)
	early := due - now - int64(time.Second)
	if early <= 0 {
		return
	}
	t := time.NewTimer(time.Duration(early))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
