//go:build unix

package httpapi_test

import (
	"context"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// redisBuses are those that need a Redis. Each node has its own of one cluster.
var redisBuses = map[string]func(t *testing.T) func() belfry.Bus{
	"redis": func(t *testing.T) func() belfry.Bus {
		server := redistest.Start(t)
		return func() belfry.Bus {
			b, err := redis.New(context.Background(), redis.Options{URL: server.URL(), Interest: true, Logger: quiet})
			must(t, err)
			t.Cleanup(b.Close)
			return b
		}
	},
}
