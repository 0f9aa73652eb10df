package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-09a96375/belfry/internal/backplane"
	"github.com/seed-09a96375/belfry/internal/config"
	"github.com/seed-09a96375/belfry/queue/redisstream"
)

func queueCommand() *cobra.Command {
	o := &queueOptions{}
	cmd := &cobra.Command{
		Use:   "queue",
		Short: "Look into the queues of client events, and bring dead letters back",
		Long: `Look into the queues of client events, and bring dead letters back.

QUEUE is the name of a queue in the configuration, or key:NAME for the stream at the
key NAME. Redis is that of --redis, of the configuration, or of the environment
variable BELFRY_REDIS. docs/queues.md says what is in a stream.`,
		Example: `  belfry queue lag orders --redis redis://10.0.0.5:6379
  belfry queue dead orders --json
  belfry queue replay orders --all`,
	}
	f := cmd.PersistentFlags()
	f.StringVar(&o.bus.URL, "redis", "", "`URL` of the Redis with the queues")
	f.StringVar(&o.bus.Prefix, "redis-prefix", "", "what keys begin with (default belfry:)")
	f.StringVar(&o.bus.TLS.CA, "redis-ca", "", "`file` with the authorities to trust for rediss://")
	f.StringVar(&o.bus.TLS.Certificate, "redis-cert", "", "`file` with the certificate to show to Redis")
	f.StringVar(&o.bus.TLS.Key, "redis-key", "", "`file` with its key")
	f.BoolVar(&o.json, "json", false, "print JSON, one line for each row")
	f.StringVarP(&o.file, "config", "c", "", "`file` with the configuration, YAML, for the Redis and the queues in it")
	cmd.AddCommand(queueGroups(o), queueLag(o), queuePeek(o), queueDead(o), queueReplay(o))
	return cmd
}

// queueOptions are the flags that all commands for queues have.
type queueOptions struct {
	bus  backplane.Options
	file string
	json bool
}

// with opens the queue for f. It creates nothing.
func (o *queueOptions) with(cmd *cobra.Command, name string, f func(context.Context, *redisstream.Queue) error) error {
	options, err := o.queue(cmd, name)
	if err != nil {
		return err
	}
	q, err := redisstream.New(cmd.Context(), options)
	if err != nil {
		return backplane.Unreachable(options.Redis.URL, err)
	}
	defer q.Close()
	return f(cmd.Context(), q)
}

func (o *queueOptions) queue(cmd *cobra.Command, name string) (redisstream.Options, error) {
	q := redisstream.Options{Name: name, TrimEvery: -1, Logger: slog.New(slog.DiscardHandler)}
	if key, isKey := strings.CutPrefix(name, "key:"); isKey {
		q.Name, q.Key = "", key
	}
	bus, err := o.complete(&q)
	if err != nil {
		return q, err
	}
	if bus.URL == "" {
		return q, usageError(cmd, errors.New("which Redis? give --redis URL, or --config FILE"))
	}
	q.Prefix = bus.Prefix
	if q.Redis, err = bus.Connection(); err == nil {
		q.Redis.Name = "belfry-cli"
		err = q.Validate()
	}
	if err != nil {
		return q, usageError(cmd, err)
	}
	return q, nil
}

// complete adds to the flags what the configuration says, or else the environment.
// There the queue may have a key of its own.
func (o *queueOptions) complete(q *redisstream.Options) (backplane.Options, error) {
	bus, file := o.bus, o.file
	if file == "" {
		file = os.Getenv("BELFRY_CONFIG")
	}
	if file == "" {
		bus.URL = orElse(bus.URL, os.Getenv("BELFRY_REDIS"))
		bus.Prefix = orElse(bus.Prefix, os.Getenv("BELFRY_REDIS_PREFIX"))
		return bus, nil
	}
	c, err := config.New().Load(config.Sources{File: file, Environ: os.Getenv})
	if err != nil {
		return bus, &Error{Err: err, Hint: "belfry check -c " + file + " checks it", Code: exitUsage}
	}
	for _, known := range c.Serve.Queues {
		if known.Name == q.Name && known.Key != "" {
			q.Name, q.Key = "", known.Key
		}
	}
	if bus.URL == "" { // another Redis has other files
		bus.URL, bus.TLS = c.Serve.Bus.URL, c.Serve.Bus.TLS
	}
	bus.Prefix = orElse(bus.Prefix, c.Serve.Bus.Prefix)
	return bus, nil
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// oneQueue wants the name of a queue.
func oneQueue(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return usageError(cmd, errors.New("which queue? give its name, or key:NAME for the stream at a key"))
	case len(args) > 1:
		return usageError(cmd, fmt.Errorf("%s takes one queue, but got %q, too", cmd.CommandPath(), args[1]))
	}
	return nil
}
