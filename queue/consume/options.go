package consume

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Complete fills in the defaults, and names the first option that cannot work.
func Complete(o belfry.ConsumeOptions) (belfry.ConsumeOptions, error) {
	o = withDefaults(o)
	return o, validate(o)
}

func withDefaults(o belfry.ConsumeOptions) belfry.ConsumeOptions {
	setDefault(&o.Concurrency, 16)
	setDefault(&o.Prefetch, 4*o.Concurrency)
	setDefault(&o.MaxTries, 10)
	setDefault(&o.Backoff, 500*time.Millisecond)
	setDefault(&o.MaxBackoff, max(time.Minute, o.Backoff))
	setDefault(&o.ReclaimAfter, time.Minute)
	setDefault(&o.StopTimeout, 30*time.Second)
	if o.Consumer == "" {
		o.Consumer = consumerName()
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

func consumerName() string {
	host, _ := os.Hostname() // without one the random part is the name
	host, _, _ = strings.Cut(host, ".")
	return strings.TrimPrefix(host+"-"+strings.ToLower(rand.Text()[:6]), "-")
}

func validate(o belfry.ConsumeOptions) error {
	switch {
	case o.Concurrency < 1:
		return fmt.Errorf("consume: ConsumeOptions.Concurrency is %d, must be positive", o.Concurrency)
	case o.Prefetch < o.Concurrency:
		return fmt.Errorf("consume: ConsumeOptions.Prefetch is %d, must be at least Concurrency, %d", o.Prefetch, o.Concurrency)
	case o.MaxTries < -1:
		return fmt.Errorf("consume: ConsumeOptions.MaxTries is %d, must be positive, or -1 for no bound", o.MaxTries)
	case o.Backoff < 0:
		return fmt.Errorf("consume: ConsumeOptions.Backoff is %v, must not be negative", o.Backoff)
	case o.MaxBackoff < o.Backoff:
		return fmt.Errorf("consume: ConsumeOptions.MaxBackoff is %v, must be at least Backoff, %v", o.MaxBackoff, o.Backoff)
	case o.ReclaimAfter < 300*time.Millisecond:
		return fmt.Errorf("consume: ConsumeOptions.ReclaimAfter is %v, must be at least 300ms", o.ReclaimAfter)
	case o.Dedup < 0, o.MaxAge < 0, o.Timeout < 0, o.StopTimeout < 0:
		return fmt.Errorf("consume: ConsumeOptions.Dedup, MaxAge, Timeout and StopTimeout must not be negative")
	}
	return nil
}
