package redis

import (
	"context"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// pingEvery is the time between two round trips: about as often as a server that
// publishes a hundred messages a second.
const pingEvery = 10 * time.Millisecond

// RoundTrips measures how long PING takes, one at a time on a connection of its
// own, until ctx ends. It returns the distribution in microseconds; the end of
// ctx is no error.
func RoundTrips(ctx context.Context, addr string) (*hdrhistogram.Histogram, error) {
	c, err := Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	hist := hdrhistogram.New(1, int64(time.Minute/time.Microsecond), 3)
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return hist, nil
		case <-tick.C:
		}
		begun := time.Now()
		if _, err := c.Do("PING"); err != nil {
			return nil, err
		}
		_ = hist.RecordValue(max(time.Since(begun).Microseconds(), 1)) // no answer takes as long as its bound
	}
}
