package redisstream

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry/source/lease"
)

// Options of a Source. Client, Stream and Node are required.
type Options struct {
	// Client is the connection to Redis; see package redisconn. It stays open.
	Client rueidis.Client
	// Stream is the key of the stream.
	Stream string
	// Group is the consumer group. It is of all nodes that are to share the entries,
	// and of nobody else. Default "belfry".
	Group string
	// Node names this node.
	Node string
	// Field is the one that holds the value of a record. Empty: the value is a JSON
	// object with all fields.
	Field string
	// KeyField is the one that holds the key of a record. Empty: there are none.
	// All records come in the order of the stream in any case.
	KeyField string
	// New has a group that is made for the first time begin at the end of the stream.
	// Default: at its beginning, so that nothing is lost that was added before.
	New bool
	// Lease is how long a node that says nothing stays the one that reads. Default
	// 5 s, at least 300 ms.
	Lease time.Duration
	// Batch is how many entries are fetched at a time. Default 500, at most 1,000.
	Batch int
	// MaxDead is about how many dead letters are kept. Default 100,000.
	MaxDead int
	// Backoff is the time after a failure; it doubles with each, up to MaxBackoff.
	// Defaults 100 ms and 5 s.
	Backoff, MaxBackoff time.Duration
	// Logger gets what goes wrong. Default slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	setDefault(&o.Group, "belfry")
	setDefault(&o.Lease, 5*time.Second)
	setDefault(&o.Batch, 500)
	setDefault(&o.MaxDead, 100_000)
	setDefault(&o.Backoff, 100*time.Millisecond)
	setDefault(&o.MaxBackoff, 5*time.Second)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Validate names the options that cannot work, all of them.
func (o Options) Validate() error {
	o = o.withDefaults()
	var errs []error
	bad := func(wrong bool, field string, value any, rule string) {
		if wrong {
			errs = append(errs, fmt.Errorf("redisstream: Options.%s is %v: must be %s", field, value, rule))
		}
	}
	bad(o.Client == nil, "Client", "nil", "a connection to Redis")
	bad(o.Stream == "", "Stream", "empty", "the key of a stream")
	bad(o.Node == "", "Node", "empty", "the name of this node")
	bad(o.Lease < 300*time.Millisecond, "Lease", o.Lease, "at least 300ms")
	bad(o.Batch < 1 || o.Batch > 1000, "Batch", o.Batch, "from 1 to 1000")
	bad(o.MaxDead < 1, "MaxDead", o.MaxDead, "positive")
	bad(o.Backoff < 0, "Backoff", o.Backoff, "positive")
	bad(o.MaxBackoff < o.Backoff, "MaxBackoff", o.MaxBackoff, "at least Backoff")
	return errors.Join(errs...)
}

func (o Options) lease() lease.Options {
	return lease.Options{
		Client: o.Client, Key: lease.Beside(o.Stream, "lease:"+o.Group), Owner: o.Node, TTL: o.Lease, Logger: o.Logger,
	}
}
