package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-09a96375/belfry/internal/config"
	"github.com/seed-09a96375/belfry/queue/redisstream"
	"github.com/seed-09a96375/belfry/redisconn"
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
	f.StringVar(&o.url, "redis", "", "`URL` of the Redis with the queues")
	f.StringVar(&o.prefix, "redis-prefix", "", "what keys begin with (default belfry:)")
	f.BoolVar(&o.json, "json", false, "print JSON, one line for each row")
	f.StringVarP(&o.file, "config", "c", "", "`file` with the configuration, YAML, for the Redis in it")
	cmd.AddCommand(queueGroups(o), queueLag(o), queuePeek(o), queueDead(o), queueReplay(o))
	return cmd
}

// queueOptions are the flags that all commands for queues have.
type queueOptions struct {
	url, prefix, file string
	json              bool
}

// with opens the queue for f. It creates nothing.
func (o *queueOptions) with(cmd *cobra.Command, name string, f func(context.Context, *redisstream.Queue) error) error {
	options, err := o.queue(cmd, name)
	if err != nil {
		return err
	}
	q, err := redisstream.New(cmd.Context(), options)
	if err != nil {
		return &Error{Err: err, Hint: "is Redis running there? check with: redis-cli -u URL ping"}
	}
	defer q.Close()
	return f(cmd.Context(), q)
}

func (o *queueOptions) queue(cmd *cobra.Command, name string) (redisstream.Options, error) {
	url, prefix, err := o.where()
	if err != nil {
		return redisstream.Options{}, err
	}
	if url == "" {
		return redisstream.Options{}, usageError(cmd, errors.New("which Redis? give --redis URL, or --config FILE"))
	}
	q := redisstream.Options{
		Redis: redisconn.Options{URL: url, Name: "belfry-cli"}, Prefix: prefix, Name: name, TrimEvery: -1,
		Logger: slog.New(slog.DiscardHandler),
	}
	if key, isKey := strings.CutPrefix(name, "key:"); isKey {
		q.Name, q.Key = "", key
	}
	if err := q.Validate(); err != nil {
		return q, usageError(cmd, err)
	}
	return q, nil
}

// where returns URL and prefix: what flags say goes first, the file last.
func (o *queueOptions) where() (url, prefix string, err error) {
	url, prefix = o.url, o.prefix
	file := o.file
	if file == "" {
		file = os.Getenv("BELFRY_CONFIG")
	}
	if file != "" && (url == "" || prefix == "") {
		c, err := config.New().Load(config.Sources{File: file, Environ: os.Getenv})
		if err != nil {
			return "", "", &Error{Err: err, Hint: "belfry check -c " + file + " checks it", Code: exitUsage}
		}
		return orElse(url, c.Serve.Bus.URL), orElse(prefix, c.Serve.Bus.Prefix), nil
	}
	return orElse(url, os.Getenv("BELFRY_REDIS")), orElse(prefix, os.Getenv("BELFRY_REDIS_PREFIX")), nil
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
