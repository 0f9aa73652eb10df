package redis

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry/redisconn"
)

// Options configures a Bus. URL is required.
type Options struct {
	// URL and TLS are those of redisconn.Options.
	URL string
	TLS *tls.Config
	// Prefix of all keys and channels. Default "belfry:". All nodes of a cluster
	// have the same.
	Prefix string
	// IDs bounds what is remembered of messages with an ID.
	IDs IDs
	// Interest makes links belfry.Followers, that get only what they follow.
	Interest bool
	// Log bounds what is kept for repairs and for clients that come back.
	Log Log
	// Lease is how long a node that says nothing counts as alive. Default 10 s,
	// at least 2 s.
	Lease time.Duration
	// ProbeTimeout is how long the node's own probe may take until the
	// subscription is given up and made anew. Default 3 s, at least 1 s. A probe
	// leaves every second.
	ProbeTimeout time.Duration
	// Timeout is how long a command may go without an answer until its
	// connection is given up. Default 2 s, at least 100 ms.
	Timeout time.Duration
	// Spool bounds what waits while Redis is away.
	Spool Spool
	// Logger gets what goes wrong away from any caller. Default slog.Default().
	Logger *slog.Logger
}

// Log bounds the log. All nodes of a cluster should have the same. The zero
// value means the defaults.
type Log struct {
	// MaxMessages is about how many of the last messages are kept. Default
	// 100,000.
	MaxMessages int
	// MaxAge bounds the time since the publication. Default 4 minutes: the two
	// that Socket.IO gives clients to come back, and what they may have missed
	// before anybody noticed. What is
	// older is removed within a tenth of it.
	MaxAge time.Duration
}

// IDs bounds what is remembered of messages that have an ID: a key each, about 230
// bytes of Redis. The zero value means the defaults.
type IDs struct {
	// Window is how long after a message others with its ID are duplicates. Default
	// 5 minutes, at most a day.
	Window time.Duration
}

// Spool bounds publishes that wait for Redis to come back. The zero value means
// the defaults.
type Spool struct {
	// Time is how long one waits. Default 5 s.
	Time time.Duration
	// Bytes bounds what all of a node take. Default 16 MiB.
	Bytes int
}

func (o Options) withDefaults() Options {
	setDefault(&o.Prefix, "belfry:")
	setDefault(&o.IDs.Window, 5*time.Minute)
	setDefault(&o.Log.MaxMessages, 100_000)
	setDefault(&o.Log.MaxAge, 4*time.Minute)
	setDefault(&o.Lease, 10*time.Second)
	setDefault(&o.ProbeTimeout, 3*time.Second)
	setDefault(&o.Timeout, 2*time.Second)
	setDefault(&o.Spool.Time, 5*time.Second)
	setDefault(&o.Spool.Bytes, 16<<20)
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

// Validate names the first option that cannot work.
func (o Options) Validate() error {
	o = o.withDefaults()
	switch {
	case o.Log.MaxMessages < 1:
		return fmt.Errorf("redis: Options.Log.MaxMessages is %d, must be positive", o.Log.MaxMessages)
	case o.Log.MaxAge < time.Second:
		return fmt.Errorf("redis: Options.Log.MaxAge is %v, must be at least 1s", o.Log.MaxAge)
	case o.IDs.Window < time.Second, o.IDs.Window > 24*time.Hour:
		return fmt.Errorf("redis: Options.IDs.Window is %v, must be from 1s to 24h", o.IDs.Window)
	case o.Lease < 2*time.Second:
		return fmt.Errorf("redis: Options.Lease is %v, must be at least 2s", o.Lease)
	case o.ProbeTimeout < time.Second:
		return fmt.Errorf("redis: Options.ProbeTimeout is %v, must be at least 1s", o.ProbeTimeout)
	case o.Spool.Time < 0, o.Spool.Bytes < 0:
		return errors.New("redis: Options.Spool.Time and Bytes must not be negative")
	}
	if err := o.connection().Validate(); err != nil {
		return errors.New("redis" + strings.TrimPrefix(err.Error(), "redisconn")) // the caller's options have the same names
	}
	return nil
}

// connection is how the bus reaches Redis: the same way as queues and sources do.
func (o Options) connection() redisconn.Options {
	return redisconn.Options{URL: o.URL, TLS: o.TLS, Timeout: o.Timeout}
}
