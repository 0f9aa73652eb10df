package socketio

import (
	"context"
	"time"
)

// limiter is the generic cell rate algorithm (ITU-T I.371): it holds the time at
// which the next event would be due at the even rate, in ns since 1970. A burst
// of one second is free. Used by one goroutine at a time.
type limiter int64

// wait blocks until an event may run, or ctx ends.
func (l *limiter) wait(ctx context.Context, perSecond int) {
	if perSecond <= 0 {
		return
	}
	now := time.Now().UnixNano()
	due := max(int64(*l), now) + int64(time.Second)/int64(perSecond)
	*l = limiter(due)
	if early := due - now - int64(time.Second); early > 0 {
		sleep(ctx, time.Duration(early))
	}
}

// sleep waits for d or the end of ctx.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
