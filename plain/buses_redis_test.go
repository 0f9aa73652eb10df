//go:build unix

package plain_test

import (
	"context"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// redisBuses are those that need a Redis.
var redisBuses = map[string]func(t testing.TB) func() belfry.Bus{
	"redis":               func(t testing.TB) func() belfry.Bus { return redisBus(t, false) },
	"redis with interest": func(t testing.TB) func() belfry.Bus { return redisBus(t, true) },
}

func redisBus(t testing.TB, interest bool) func() belfry.Bus {
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
