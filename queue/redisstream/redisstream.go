// Package redisstream is a queue in a Redis Stream: a stream of entries with plain
// fields, consumer groups, and answers as keys. Redis 7, or Valkey, is needed.
//
// # Flow
//
//	Append → append.lua: ID known? → groups there? → XADD → ID and key remembered
//	              │
//	         XREADGROUP ─ handler ─ settle.lua: XACK, answer (SET NX, PUBLISH), mark of the ID
//	                         │                             │
//	                         └ bury.lua: XADD dead, XACK   └→ Await: SUBSCRIBE, GET, and GET every second
//
// Appends of one node share a connection, and so round trips: up to 1,024 are
// under way, others wait for their turn.
//
// # Order
//
// An entry names the one before it with the same key. Whoever has it waits until
// that one is no longer pending in the group. That is all there is to the order of
// keys: no partitions, no owners, no state to lose; and consumers that are not
// Belfry's can keep it with XPENDING.
//
// docs/queues.md lists keys and fields.
package redisstream

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
)

// Queue implements belfry.Queue, belfry.Answers and belfry.Consumer. Safe for
// concurrent use.
type Queue struct {
	opts    Options
	names   names
	client  rueidis.Client
	scripts scripts
	waiters *waiters

	stop context.CancelFunc
	done sync.WaitGroup
}

var (
	_ belfry.Queue    = (*Queue)(nil)
	_ belfry.Answers  = (*Queue)(nil)
	_ belfry.Consumer = (*Queue)(nil)
)

// New connects to Redis and creates the groups of the options. It fails if Redis
// cannot be reached now, and if what is at the key is no stream.
func New(ctx context.Context, o Options) (*Queue, error) {
	o = o.withDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	client := o.Client
	if client == nil {
		var err error
		if client, err = o.Redis.Open(ctx); err != nil {
			return nil, err
		}
	}
	q := &Queue{opts: o, names: newNames(o), client: client, scripts: newScripts()}
	q.waiters = newWaiters(client, o.Logger)
	if err := q.createGroups(ctx, o.Groups...); err != nil {
		q.disconnect()
		return nil, err
	}
	q.start(context.WithoutCancel(ctx))
	return q, nil
}

func (q *Queue) start(ctx context.Context) {
	ctx, q.stop = context.WithCancel(ctx)
	q.done.Go(func() { q.waiters.run(ctx) })
	if q.opts.TrimEvery > 0 {
		q.done.Go(func() { q.housekeeping(ctx) })
	}
}

// Close ends what the queue does by itself, and its connection if it has one of
// its own. Appends, Awaits and Consumes must have ended.
func (q *Queue) Close() {
	q.stop()
	q.done.Wait()
	q.disconnect()
}

func (q *Queue) disconnect() {
	if q.opts.Client == nil {
		q.client.Close()
	}
}

// Key is the key of the stream.
func (q *Queue) Key() string { return q.names.stream }

// createGroups creates those that are missing, at the beginning of the stream.
func (q *Queue) createGroups(ctx context.Context, groups ...string) error {
	if len(groups) == 0 {
		return nil
	}
	return failure(ctx, "create groups", q.run(ctx, q.scripts.create, []string{q.names.stream}, groups...).Error())
}

// run runs a script by its name, and by its text if Redis does not know it.
func (q *Queue) run(ctx context.Context, s script, keys []string, args ...string) rueidis.RedisResult {
	n := int64(len(keys))
	r := q.client.Do(ctx, q.client.B().Evalsha().Sha1(s.sha).Numkeys(n).Key(keys...).Arg(args...).Build())
	if e, answered := rueidis.IsRedisErr(r.Error()); answered && e.IsNoScript() {
		r = q.client.Do(ctx, q.client.B().Eval().Script(s.text).Numkeys(n).Key(keys...).Arg(args...).Build())
	}
	return r
}

// checkID refuses what cannot be an event's ID.
func checkID(id string) error {
	switch {
	case id == "":
		return errors.New("queue: event without an ID")
	case len(id) > belfry.MaxID:
		return fmt.Errorf("queue: ID of an event has %d bytes, may have %d", len(id), belfry.MaxID)
	}
	return nil
}
