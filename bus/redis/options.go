package redis

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/redis/rueidis"
)

// Options configures a Bus. URL is required.
type Options struct {
	// URL is redis://user:password@host:port/db, rediss:// for TLS. With
	// ?master_set=name the hosts are Sentinels; more of them by &addr=host:port.
	// With ?cluster=true they are nodes of a Redis Cluster.
	URL string
	// TLS, with rediss://, says which certificates to trust, and which to show. Its
	// ServerName may be empty: then that of each address counts. Default: the
	// roots of the system.
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
	// connection is given up. Default 2 s.
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
	case o.URL == "":
		return errors.New("redis: Options.URL is empty: give redis://host:6379")
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
	case o.Timeout < 100*time.Millisecond:
		return fmt.Errorf("redis: Options.Timeout is %v, must be at least 100ms", o.Timeout)
	case o.Spool.Time < 0, o.Spool.Bytes < 0:
		return errors.New("redis: Options.Spool.Time and Bytes must not be negative")
	}
	_, err := o.client()
	return err
}

// client returns the options of the driver.
func (o Options) client() (rueidis.ClientOption, error) {
	c, err := rueidis.ParseURL(o.URL)
	if err != nil {
		// The driver's message may hold the URL, and that a password.
		return c, errors.New("redis: Options.URL is not redis://[user:password@]host:port[/db]")
	}
	if err := o.secure(&c); err != nil {
		return c, err
	}
	c.ForceSingleClient = c.Sentinel.MasterSet == "" && !o.cluster()
	c.ClusterOption.MaxMovedRedirections = 3
	if c.Sentinel.MasterSet != "" {
		c.Sentinel.TLSConfig = c.TLSConfig
		c.Sentinel.Dialer = c.Dialer
	}
	c.ClientName = "belfry"
	c.DisableCache = true
	c.AlwaysPipelining = true
	// What to repeat is decided here, where it is known what a command does.
	c.DisableRetry = true
	c.PipelineMultiplex = -1 // one connection: publishes share its round trips
	c.ConnWriteTimeout = o.Timeout
	c.Dialer.Timeout = o.Timeout
	c.Dialer.KeepAlive = time.Second // also the pace of the driver's pings
	return c, nil
}

// cluster reports whether the URL is that of a Redis Cluster.
func (o Options) cluster() bool {
	u, err := url.Parse(o.URL)
	return err == nil && u.Query().Get("cluster") == "true"
}

// secure sets what TLS needs. The driver takes the name to verify from the URL,
// but the other servers, which Sentinels name, have others.
func (o Options) secure(c *rueidis.ClientOption) error {
	switch {
	case c.TLSConfig == nil && o.TLS != nil:
		return errors.New("redis: Options.TLS is set, but Options.URL is not rediss://")
	case c.TLSConfig == nil:
		return nil
	case o.TLS != nil:
		c.TLSConfig = o.TLS.Clone()
	default:
		c.TLSConfig.ServerName = ""
	}
	return nil
}
