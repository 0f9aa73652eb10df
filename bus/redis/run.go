package redis

import (
	"context"

	"github.com/redis/rueidis"
)

// run runs a script by its name.
func (b *Bus) run(ctx context.Context, s script, keys []string, args ...string) rueidis.RedisResult {
	c := b.client.B().Evalsha().Sha1(s.sha).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build()
	return b.client.Do(ctx, c)
}

// load runs a script by its text, after which Redis knows it.
func (b *Bus) load(ctx context.Context, s script, keys []string, args ...string) rueidis.RedisResult {
	c := b.client.B().Eval().Script(s.text).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build()
	return b.client.Do(ctx, c)
}

// runShared runs a script that no epoch needs.
func (b *Bus) runShared(ctx context.Context, s script, keys []string, args ...string) rueidis.RedisResult {
	r := b.run(ctx, s, keys, args...)
	if verdictOf(r.Error()) == noScript {
		return b.load(ctx, s, keys, args...)
	}
	return r
}
