package lab

import (
	"context"
	"fmt"
	"time"
)

// Pause waits, unless the run is given up.
func Pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Until asks again and again until a condition holds.
func Until(ctx context.Context, otherwise string, holds func(context.Context) (bool, error)) error {
	for {
		ok, last := holds(ctx)
		if ok {
			return nil
		}
		if err := Pause(ctx, 100*time.Millisecond); err != nil {
			return fmt.Errorf("%s: %w (%v)", otherwise, err, last)
		}
	}
}
