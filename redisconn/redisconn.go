// Package redisconn connects to a Redis 7 (or Valkey): a single one, one that
// Sentinel watches, or a Redis Cluster. It is the one place that knows how the
// driver is to be set up for the bus, queues and sources.
package redisconn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// Options say which Redis. URL is required.
type Options struct {
	// URL is redis://user:password@host:port/db, rediss:// for TLS. With
	// ?master_set=name the hosts are Sentinels; more of them by &addr=host:port.
	// With ?cluster=true they are nodes of a Redis Cluster.
	URL string
	// TLS, with rediss://, says which certificates to trust, and which to show. Its
	// ServerName may be empty: then that of each address counts. Default: the
	// roots of the system.
	TLS *tls.Config
	// Timeout is how long a command may go without an answer until its connection
	// is given up. Default 2 s, at least 100 ms.
	Timeout time.Duration
	// Name is what CLIENT LIST shows. Default "belfry".
	Name string
}

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Second
	}
	if o.Name == "" {
		o.Name = "belfry"
	}
	return o
}

// Validate names the first option that cannot work. Its errors hold no password.
func (o Options) Validate() error {
	o = o.withDefaults()
	if o.URL == "" {
		return errors.New("redisconn: Options.URL is empty: give redis://host:6379")
	}
	if o.Timeout < 100*time.Millisecond {
		return fmt.Errorf("redisconn: Options.Timeout is %v, must be at least 100ms", o.Timeout)
	}
	_, err := o.client()
	return err
}

// Open connects. It fails if Redis cannot be reached now, or is older than 7.
func (o Options) Open(ctx context.Context) (rueidis.Client, error) {
	o = o.withDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	conf, err := o.client()
	if err != nil {
		return nil, err
	}
	client, err := rueidis.NewClient(conf)
	if err != nil {
		return nil, fmt.Errorf("redis: connect: %w", err)
	}
	if err := checkVersion(ctx, client); err != nil {
		client.Close()
		return nil, err
	}
	return client, nil
}

// client returns the options of the driver.
func (o Options) client() (rueidis.ClientOption, error) {
	c, err := rueidis.ParseURL(o.URL)
	if err != nil {
		// The driver's message may hold the URL, and that a password.
		return c, errors.New("redisconn: Options.URL is not redis://[user:password@]host:port[/db]")
	}
	if err := o.secure(&c); err != nil {
		return c, err
	}
	c.ForceSingleClient = c.Sentinel.MasterSet == "" && !o.Cluster()
	c.ClusterOption.MaxMovedRedirections = 3
	if c.Sentinel.MasterSet != "" {
		c.Sentinel.TLSConfig = c.TLSConfig
		c.Sentinel.Dialer = c.Dialer
	}
	c.ClientName = o.Name
	c.DisableCache = true
	c.AlwaysPipelining = true
	c.DisableRetry = true // the caller knows what may be repeated
	c.PipelineMultiplex = -1
	c.ConnWriteTimeout = o.Timeout
	c.Dialer.Timeout = o.Timeout
	c.Dialer.KeepAlive = time.Second // also the pace of the driver's pings
	return c, nil
}

// Cluster reports whether the URL is that of a Redis Cluster.
func (o Options) Cluster() bool {
	u, err := url.Parse(o.URL)
	return err == nil && u.Query().Get("cluster") == "true"
}

// secure sets what TLS needs. The driver takes the name to verify from the URL,
// but the other servers, which Sentinels name, have others.
func (o Options) secure(c *rueidis.ClientOption) error {
	switch {
	case c.TLSConfig == nil && o.TLS != nil:
		return errors.New("redisconn: Options.TLS is set, but Options.URL is not rediss://")
	case c.TLSConfig == nil:
		return nil
	case o.TLS != nil:
		c.TLSConfig = o.TLS.Clone()
	default:
		c.TLSConfig.ServerName = ""
	}
	return nil
}

// checkVersion refuses what is older than Redis 7. A user that may not ask is let
// through.
func checkVersion(ctx context.Context, client rueidis.Client) error {
	info, err := client.Do(ctx, client.B().Info().Section("server").Build()).ToString()
	if err != nil {
		if _, answered := rueidis.IsRedisErr(err); answered && strings.HasPrefix(err.Error(), "NOPERM") {
			return nil
		}
		return fmt.Errorf("redis: ping: %w", err)
	}
	_, rest, _ := strings.Cut(info, "redis_version:")
	version, _, _ := strings.Cut(rest, "\r\n")
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err == nil && n < 7 {
		return fmt.Errorf("redis: this is version %s: Belfry needs 7 or later, or Valkey", version)
	}
	return nil
}
