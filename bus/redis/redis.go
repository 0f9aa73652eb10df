// Package redis is the bus of nodes that share a Redis 7 (or Valkey): a single
// one, one that Sentinel watches, or a slot of a Redis Cluster.
//
// # Flow
//
//	Publish → commits → publish.lua ─┬ log (stream, id <number>-<milliseconds>)
//	                                 └ PUBLISH channel "<number> <previous> <ms> <epoch>\n<body>"
//	                                                    │
//	subscription ─ feed ─ gap? read the log ─ Deliver ─ the publisher returns
//
// One script accepts a message: it takes the next number, appends to the log and
// publishes, in one step. Messages that wait for a call to end go together with the
// next. A node has one connection for all its subscriptions.
// Redis sends on it in the order of the scripts, so all nodes get everything in
// one order, and one number says what a node has delivered.
//
// # Gaps
//
// Emit, Join, Leave, Disconnect and ServerSideEmit have a number and are in the
// log, unless they are Volatile, Unlogged or want answers. (Only an Emit has an
// Offset: the others are repaired for nodes, not replayed to clients.) A node
// that misses a number reads it from the log before it delivers what follows. It
// notices by the numbers themselves; when nothing comes, by the probe that it
// sends to itself every second; and after every break of its connection. What
// has no number is lost for a node that is cut off.
//
// # Channels
//
// A message whose target is one room goes to the channel of that room, all others
// go to a channel that every node listens to. A node gets all rooms by one
// pattern or, with Options.Interest, those that it follows. Both kinds of node
// work in one cluster.
//
// docs/cluster.md lists keys and channels.
package redis

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
)

// Bus implements belfry.Bus. Safe for concurrent use.
type Bus struct {
	opts    Options
	names   names
	dialect dialect
	client  rueidis.Client
	shared  sharedScripts
}

// New connects to Redis. It fails if Redis cannot be reached now, or is older than 7.
// Close the links of the bus, then the bus.
func New(ctx context.Context, o Options) (*Bus, error) {
	o = o.withDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	client, err := o.connection().Open(ctx)
	if err != nil {
		return nil, err
	}
	d := dialect{o.connection().Cluster()}
	return &Bus{opts: o, names: newNames(o.Prefix), dialect: d, client: client, shared: newSharedScripts(d.head())}, nil
}

// Attach implements belfry.Bus. It fails with belfry.ErrUnavailable if Redis
// cannot be reached, and if a node of that id holds a lease: also for some
// seconds after that node has died.
func (b *Bus) Attach(ctx context.Context, n belfry.Node) (belfry.Link, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if n.ID() == "" {
		return nil, errors.New("redis: attach a node without an id")
	}
	l := newLink(b, n)
	if err := l.start(ctx); err != nil {
		return nil, fmt.Errorf("redis: attach node %s: %w", l.id, err)
	}
	if b.opts.Interest {
		return &following{l}, nil
	}
	return l, nil
}

// Close closes the connections. Links must be closed before.
func (b *Bus) Close() { b.client.Close() }
