package limit

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Rate
		ctx, begin := context.Background(), time.Now()
		for range 10 {
			l.Wait(ctx, 10)
		}
		if d := time.Since(begin); d != 0 {
			t.Errorf("a burst of a second took %v", d)
		}
		for range 20 {
			l.Wait(ctx, 10)
		}
		if d := time.Since(begin); d != 2*time.Second {
			t.Errorf("30 items at 10 per second took %v, want 2s after the burst", d)
		}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		l.Wait(ended, 10)
		l.Wait(ctx, 0)
		if d := time.Since(begin); d != 2*time.Second {
			t.Errorf("the end of the context, or no bound, took %v more", d-2*time.Second)
		}
	})
}
