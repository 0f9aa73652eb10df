package backend

import (
	"context"
	"fmt"
	"time"
)

// pause waits, unless the run is given up.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// until asks again and again until a condition holds.
func until(ctx context.Context, otherwise string, holds func(context.Context) (bool, error)) error {
	for {
		ok, last := holds(ctx)
		if ok {
			return nil
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return fmt.Errorf("%s: %w (%v)", otherwise, err, last)
		}
	}
}
