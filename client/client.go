// Package client is for backends: it publishes to clients through the HTTP API of
// Belfry, and handles what clients have sent from its queues in Redis.
//
//	c, err := client.New(client.Options{Redis: "redis://10.0.0.5:6379", API: "https://belfry.example", Key: key})
//	...
//	err = c.Consume(ctx, "orders", "billing", client.Typed(
//		func(ctx context.Context, d *client.Delivery, o Order) (any, error) {
//			return Receipt{...}, c.Publish(ctx, &client.Message{Rooms: []string{"till"}, Event: "sold", Args: []any{o}})
//		}), client.ConsumeOptions{})
//
// # What is promised
//
// An event whose append was acknowledged to the client is handled at least once by
// each group: it is delivered until a handler returned nil and that was recorded, or
// it is a dead letter. A process that dies between the end of a handler and the
// record of it has the event handled again, elsewhere: no queue can know that the
// work was done. There are three ways to live with that:
//
//   - the work may be done twice;
//   - the handler records Delivery.ID where its work is, in one transaction, and does
//     nothing for an ID that is there;
//   - the work is a change in the same Redis: Delivery.Also does it in one step with
//     the record. Then it is done exactly once.
//
// ConsumeOptions.Dedup drops what has an ID that was handled: an event that was
// appended twice, or replayed, or whose group was reset.
package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/queue/consume"
	"github.com/seed-09a96375/belfry/queue/redisstream"
	"github.com/seed-09a96375/belfry/redisconn"
)

// Options configures a Client. Redis is required to consume and to answer, API and
// Key to publish.
type Options struct {
	// Redis is the URL of the Redis with the queues: redis://user:password@host:port/db,
	// rediss:// for TLS. With ?master_set=name the hosts are Sentinels, with
	// ?cluster=true nodes of a Redis Cluster; more of them by &addr=host:port.
	Redis string
	// TLS is for rediss://. Default: the roots of the system.
	TLS *tls.Config
	// Prefix is what the keys of queues begin with. Default "belfry:".
	Prefix string
	// Queues are queues that are not in Redis, by name: those of package queue/memory,
	// for tests and for programs that have Belfry in them.
	Queues map[string]Queue
	// API is the base URL of Belfry: https://belfry.example.
	API string
	// Key is an API key, or a token that may use the API.
	Key string
	// HTTP sends requests. Default: a client with Timeout.
	HTTP *http.Client
	// Timeout bounds one request. Default 10 s.
	Timeout time.Duration
	// PublishFor is how long Publish tries. Default 30 s.
	PublishFor time.Duration
	// Logger gets what goes wrong away from any caller. Default slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.PublishFor == 0 {
		o.PublishFor = 30 * time.Second
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: o.Timeout, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // the key is for nobody else
		}}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Validate names the first option that cannot work.
func (o Options) Validate() error {
	o = o.withDefaults()
	switch {
	case o.Redis == "" && o.API == "" && len(o.Queues) == 0:
		return errors.New("client: Options.Redis and Options.API are empty: give one of them at least")
	case o.API != "" && !isBase(o.API):
		return fmt.Errorf("client: Options.API is %q, must be a URL such as https://belfry.example", o.API)
	case o.Timeout < 0:
		return fmt.Errorf("client: Options.Timeout is %v, must not be negative", o.Timeout)
	case o.PublishFor < 0:
		return fmt.Errorf("client: Options.PublishFor is %v, must not be negative", o.PublishFor)
	}
	if o.Redis == "" {
		return nil
	}
	return o.conn().Validate()
}

func (o Options) conn() redisconn.Options {
	return redisconn.Options{URL: o.Redis, TLS: o.TLS, Name: "belfry-client"}
}

func isBase(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.RawQuery == "" && u.Fragment == ""
}

// Queue is where events wait. redisstream.Queue and memory.Queue are.
type Queue interface {
	belfry.Answers
	// ConsumeWith is Consume for handlers that have commands run with the
	// acknowledgement.
	ConsumeWith(ctx context.Context, group string, h consume.Handler, o belfry.ConsumeOptions) error
}

// Client is a backend's connection to Belfry. Safe for concurrent use.
type Client struct {
	opts  Options
	redis rueidis.Client // nil: none was wanted

	mu     sync.Mutex
	queues map[string]*redisstream.Queue
}

// New connects to Redis, if Options.Redis says so. It fails if that cannot be
// reached now.
func New(ctx context.Context, o Options) (*Client, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	c := &Client{opts: o.withDefaults(), queues: make(map[string]*redisstream.Queue)}
	if o.Redis == "" {
		return c, nil
	}
	var err error
	c.redis, err = o.conn().Open(ctx)
	return c, err
}

// Close closes the connections. Calls must have ended.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, q := range c.queues {
		q.Close()
	}
	if c.redis != nil {
		c.redis.Close()
	}
	c.opts.HTTP.CloseIdleConnections()
}

// queue returns the queue of that name. Trimming is left to the nodes.
func (c *Client) queue(ctx context.Context, name string) (Queue, error) {
	if q := c.opts.Queues[name]; q != nil {
		return q, nil
	}
	if c.redis == nil {
		return nil, errors.New("client: Options.Redis is empty: queues need it")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if q := c.queues[name]; q != nil {
		return q, nil
	}
	o := redisstream.Options{Client: c.redis, Prefix: c.opts.Prefix, TrimEvery: -1, Logger: c.opts.Logger}
	if key, isKey := keyOf(name); isKey {
		o.Key = key
	} else {
		o.Name = name
	}
	q, err := redisstream.New(ctx, o)
	if err != nil {
		return nil, err
	}
	c.queues[name] = q
	return q, nil
}

// Answer gives the answer to the event with that ID of a queue, by whoever and
// whenever: handlers simply return it. belfry.ErrAnswered: there is one already. The
// answer is encoded as that of a Handler; an error goes to the client as its text.
func (c *Client) Answer(ctx context.Context, queue, id string, answer any) error {
	q, err := c.queue(ctx, queue)
	if err != nil {
		return err
	}
	a, err := encodeAnswer(answer)
	if err != nil {
		return err
	}
	if a == nil {
		a = &belfry.Answer{}
	}
	return q.Answer(ctx, id, a)
}
