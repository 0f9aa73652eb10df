package stomp

import (
	"context"
	"time"
)

// limiter is the generic cell rate algorithm (ITU-T I.371): it holds the time at
// which the next frame would be due at the even rate, in ns since 1970. A burst of
// one second is free. Used by one goroutine at a time.
type limiter int64

// wait blocks until a frame may be handled, or ctx ends.
func (l *limiter) wait(ctx context.Context, perSecond int) {
	if perSecond <= 0 {
		return
	}
	now := time.Now().UnixNano()
	due := max(int64(*l), now) + int64(time.Second)/int64(perSecond)
	*l = limiter(due)
	if early := due - now - int64(time.Second); early > 0 {
		t := time.NewTimer(time.Duration(early))
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
}
