package redischannel

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/rueidis"
)

// Options of a Source. Client, Channel and Node are required.
type Options struct {
	// Client is the connection to Redis; see package redisconn. It stays open.
	Client rueidis.Client
	// Channel is the name of the channel.
	Channel string
	// Node names this node.
	Node string
	// Group is of all nodes that are to share the messages. Default "belfry".
	Group string
	// Lease is how long a node that says nothing stays the one that subscribes.
	// Default 5 s, at least 300 ms.
	Lease time.Duration
	// Queue is how many messages may wait for the handler. When they are more, Redis
	// waits, and in the end breaks the connection. Default 10,000.
	Queue int
	// MaxDead is about how many dead letters are kept. Default 100,000.
	MaxDead int
	// Backoff is the time after a failure; it doubles with each, up to MaxBackoff.
	// Defaults 100 ms and 5 s.
	Backoff, MaxBackoff time.Duration
	// Logger gets what goes wrong. Default slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		p *time.Duration
		v time.Duration
	}{{&o.Lease, 5 * time.Second}, {&o.Backoff, 100 * time.Millisecond}, {&o.MaxBackoff, 5 * time.Second}} {
		if *d.p == 0 {
			*d.p = d.v
		}
	}
	if o.Group == "" {
		o.Group = "belfry"
	}
	if o.Queue == 0 {
		o.Queue = 10_000
	}
	if o.MaxDead == 0 {
		o.MaxDead = 100_000
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Validate names the options that cannot work, all of them.
func (o Options) Validate() error {
	o = o.withDefaults()
	var errs []error
	bad := func(wrong bool, field string, value any, rule string) {
		if wrong {
			errs = append(errs, fmt.Errorf("redischannel: Options.%s is %v: must be %s", field, value, rule))
		}
	}
	bad(o.Client == nil, "Client", "nil", "a connection to Redis")
	bad(o.Channel == "", "Channel", "empty", "the name of a channel")
	bad(o.Node == "", "Node", "empty", "the name of this node")
	bad(o.Lease < 300*time.Millisecond, "Lease", o.Lease, "at least 300ms")
	bad(o.Queue < 1, "Queue", o.Queue, "positive")
	bad(o.MaxDead < 1, "MaxDead", o.MaxDead, "positive")
	bad(o.Backoff < 0, "Backoff", o.Backoff, "positive")
	bad(o.MaxBackoff < o.Backoff, "MaxBackoff", o.MaxBackoff, "at least Backoff")
	return errors.Join(errs...)
}
