//go:build unix

package fleet_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/examples/fleet"
	"github.com/seed-09a96375/belfry/queue/redisstream"
	"github.com/seed-09a96375/belfry/redisconn"
)

// onRedis is what nodes share on a Redis of their own: each has its own connections.
func onRedis(t testing.TB) shared {
	t.Helper()
	url := redistest.Start(t).URL()
	queue, err := redisstream.New(t.Context(), redisstream.Options{
		Redis: redisconn.Options{URL: url}, Name: "fleet-alerts", Logger: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	t.Cleanup(queue.Close)
	return shared{
		queue: queue,
		bus: func() belfry.Bus {
			b, err := redis.New(t.Context(), redis.Options{URL: url, Interest: true, Lease: 2 * time.Second, Logger: slog.New(slog.DiscardHandler)})
			must(t, err)
			t.Cleanup(b.Close)
			return b
		},
		state: func() fleet.State { return redisState(t, url) },
	}
}

func redisState(t testing.TB, url string) *fleet.Redis {
	t.Helper()
	s, err := fleet.OpenRedis(t.Context(), redisconn.Options{URL: url}, "")
	must(t, err)
	t.Cleanup(s.Close)
	return s
}

func addRedis(places map[string]func(testing.TB) shared, states map[string]func(*testing.T) fleet.State) {
	places["redis"] = onRedis
	states["redis"] = func(t *testing.T) fleet.State { return redisState(t, redistest.Start(t).URL()) }
}
