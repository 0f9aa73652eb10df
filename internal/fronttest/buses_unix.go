//go:build unix

package fronttest

import (
	"context"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

func addRedis(all map[string]Begin) {
	all["redis"] = onRedis(false)
	all["redis with interest"] = onRedis(true)
}

func onRedis(interest bool) Begin {
	return func(t testing.TB) func() belfry.Bus {
		server := redistest.Start(t)
		return func() belfry.Bus {
			b, err := redis.New(context.Background(), redis.Options{URL: server.URL(), Interest: interest})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(b.Close)
			return b
		}
	}
}
