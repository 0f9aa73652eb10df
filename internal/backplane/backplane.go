// Package backplane opens the bus that a command was told to use: one in memory,
// or a Redis that nodes of other processes share.
package backplane

import (
	"context"
	"log/slog"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/bus/redis"
)

// Options say which bus. The zero value is one in memory, without a log.
type Options struct {
	// URL of the Redis; see redis.Options. Empty: the bus is in memory, for the
	// nodes of this process.
	URL string
	// TLS is for URLs with rediss://.
	TLS TLS
	// Prefix of keys and channels in Redis. Default "belfry:".
	Prefix string
	// Interest has Redis send a node only what its clients may get.
	Interest bool
	// Recovery is how long clients may be away. 0: no client comes back. Redis
	// keeps a log in any case, to repair what nodes missed.
	Recovery time.Duration
	// LogMessages is about how many messages Redis keeps. Default 100,000.
	LogMessages int
	// IDWindow is how long ids of messages are remembered. Default 5 minutes.
	IDWindow time.Duration
	// Timeout, Lease and Wait are those of redis.Options, Wait that of its Spool.
	Timeout, Lease, Wait time.Duration
	// Logger gets what an operator should see. Default slog.Default().
	Logger *slog.Logger
}

// Bus is a bus that was opened, to be closed after its links.
type Bus struct {
	belfry.Bus
	close func()
}

// Close ends the connections. It does nothing for a bus in memory.
func (b *Bus) Close() { b.close() }

// Open connects to the bus. If that fails now the error is an *Error.
func Open(ctx context.Context, o Options) (*Bus, error) {
	if o.URL == "" {
		return &Bus{memory.New(o.memory()), func() {}}, nil
	}
	r, addr := o.redis(), addrOf(o.URL)
	var err error
	if r.TLS, err = o.TLS.Config(); err == nil {
		err = r.Validate()
	}
	if err != nil || addr == "" {
		return nil, &Error{Addr: addr, Err: err, invalid: true}
	}
	b, err := redis.New(ctx, r)
	if err != nil {
		return nil, &Error{Addr: addr, Err: err}
	}
	return &Bus{b, b.Close}, nil
}

func (o Options) memory() memory.Options {
	m := memory.Options{IDs: memory.IDs{Window: o.IDWindow}}
	if o.Recovery != 0 {
		m.Log = &memory.Log{MaxAge: o.Recovery + slack}
	}
	return m
}

// slack is for what passes between the last message that a client has surely
// received, two heartbeats ago at worst, and the moment from which the cluster
// knows that it is away.
const slack = 2 * time.Minute

// bounds are the options of Redis that are numbers.
func (o Options) bounds() redis.Options {
	return redis.Options{
		Log: redis.Log{MaxMessages: o.LogMessages}, IDs: redis.IDs{Window: o.IDWindow},
		Timeout: o.Timeout, Lease: o.Lease, Spool: redis.Spool{Time: o.Wait},
	}
}

// Validate names the first bound that cannot work, as redis.Options does. It does not
// look at URL and files: Open does.
func (o Options) Validate() error {
	r := o.bounds()
	r.URL = "redis://localhost"
	return r.Validate()
}

func (o Options) redis() redis.Options {
	r := o.bounds()
	r.URL, r.Prefix, r.Interest, r.Logger = o.URL, o.Prefix, o.Interest, o.Logger
	if o.Recovery != 0 {
		r.Log.MaxAge = o.Recovery + slack
	}
	return r
}
