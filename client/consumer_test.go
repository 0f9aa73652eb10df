//go:build unix

package client_test

import (
	"context"
	"log/slog"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry/client"
	"github.com/seed-09a96375/belfry/redisconn"
)

// runConsumer is the process that TestKilled kills. It ends no other way.
func runConsumer(kind, url string) {
	ctx := context.Background()
	redis, err := redisconn.Options{URL: url}.Open(ctx)
	if err != nil {
		panic(err)
	}
	if kind == "noack" {
		consumeWithoutAcks(ctx, redis)
	}
	c, err := client.New(ctx, client.Options{Redis: url, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	err = c.Consume(ctx, "q", "g", func(ctx context.Context, d *client.Delivery) (any, error) {
		if err := work(ctx, redis); err != nil {
			return nil, err
		}
		if kind == "also" {
			d.Also("RPUSH", d.Key, d.ID)
			return nil, nil
		}
		err := redis.Do(ctx, redis.B().Rpush().Key(d.Key).Element(d.ID).Build()).Error()
		pause(ctx, 5*time.Millisecond)
		return nil, err
	}, client.ConsumeOptions{Dedup: 5 * time.Minute, ReclaimAfter: time.Second, Backoff: 10 * time.Millisecond, MaxTries: -1})
	panic(err)
}

// work is what a handler does.
func work(ctx context.Context, redis rueidis.Client) error {
	err := redis.Do(ctx, redis.B().Incr().Key("runs").Build()).Error()
	pause(ctx, 5*time.Millisecond)
	return err
}

// consumeWithoutAcks is how it must not be done: what was read counts as handled.
func consumeWithoutAcks(ctx context.Context, redis rueidis.Client) {
	for {
		streams, err := redis.Do(ctx, redis.B().Xreadgroup().Group("g", "c").Count(64).Block(100).Noack().
			Streams().Key("belfry:queue:{q}").Id(">").Build()).AsXRead()
		if err != nil {
			pause(ctx, 10*time.Millisecond)
			continue
		}
		for _, e := range streams["belfry:queue:{q}"] {
			_ = work(ctx, redis)
			_ = redis.Do(ctx, redis.B().Rpush().Key(e.FieldValues["key"]).Element(e.FieldValues["id"]).Build()).Error()
		}
	}
}
