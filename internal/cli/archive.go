package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/archive/postgres"
	"github.com/seed-09a96375/belfry/archive/sqlite"
	"github.com/seed-09a96375/belfry/internal/backplane"
	"github.com/seed-09a96375/belfry/internal/config"
	"github.com/seed-09a96375/belfry/kafkaconn"
)

// archiveFlags are what `belfry archive` and `belfry archive status` have in common.
type archiveFlags struct {
	bus    backplane.Options
	stream string
	kafka  string
	topics []string
	group  string

	postgres  postgres.Options
	partition string
	sqlite    string
	retention time.Duration
}

func archiveCommand() *cobra.Command {
	var o archiveOptions
	cmd := &cobra.Command{
		Use:   "archive",
		Short: "Keep messages in a database",
		Long: `Keep messages in a database: what a Redis Stream or topics of Kafka bring becomes rows
in PostgreSQL or in a SQLite file, each message one row, however often it comes.

A message is done with in its source once its row is durable. While the database is
away nothing is lost and nothing grows: the source waits, and so does the archive. Any
number may run at once. Messages that no database keeps are put aside, with the reason.

GET /healthz/live, /healthz/ready, /stats and, for Prometheus, /metrics on --listen
tell how it is. SIGTERM or
Ctrl-C writes what is under way and ends. What the flags say can also be in the
environment: BELFRY_ARCHIVE_ and the name of the flag, so that
BELFRY_ARCHIVE_POSTGRES=URL is --postgres URL.`,
		Example: `  belfry archive --redis redis://10.0.0.5:6379 --stream MESSAGES --postgres postgres://belfry@10.0.0.6/chat
  belfry archive --kafka kafka://10.0.0.7:9092 --topic MESSAGES --postgres URL --retention 720h
  belfry archive --redis redis://127.0.0.1:6379 --sqlite /var/lib/belfry/messages.db
  belfry archive status --postgres URL`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := archiveEnvironment(cmd); err != nil {
				return err
			}
			if err := o.validate(true); err != nil {
				return usageError(cmd, err)
			}
			o.logger = o.log.Logger(cmd.ErrOrStderr())
			return runArchive(cmd.Context(), &o)
		},
	}
	f := cmd.Flags()
	o.addFlags(f)
	f.StringVar(&o.listen, "listen", "127.0.0.1:9180", "`address` of /healthz/, /stats and /metrics; empty: none")
	f.DurationVar(&o.statsInterval, "stats-interval", time.Minute, "how often the log says how it is; 0: never")
	f.IntVar(&o.batch, "batch", 5000, "the most `rows` that are written at once")
	config.LogFlags(&o.log).Flags(f)
	cmd.AddCommand(archiveStatusCommand())
	return cmd
}

func (a *archiveFlags) addFlags(f *pflag.FlagSet) {
	f.StringVar(&a.bus.URL, "redis", "", "`URL` of the Redis with the stream: redis://host:6379, rediss:// for TLS")
	f.StringVar(&a.bus.TLS.CA, "redis-ca", "", "`file` with the authorities to trust for rediss:// (default: those of the system)")
	f.StringVar(&a.bus.TLS.Certificate, "redis-cert", "", "`file` with the certificate to show to Redis")
	f.StringVar(&a.bus.TLS.Key, "redis-key", "", "`file` with its key")
	f.StringVar(&a.stream, "stream", "MESSAGES", "`key` of the stream, with --redis")
	f.StringVar(&a.kafka, "kafka", "", "`URL` of Kafka, in place of --redis: kafka://host:9092")
	f.StringSliceVar(&a.topics, "topic", []string{"MESSAGES"}, "`name` of a topic, with --kafka; repeat it for more")
	f.StringVar(&a.group, "group", "archive", "`name` of the consumer group; those with the same share the work")
	f.StringVar(&a.postgres.URL, "postgres", "", "`URL` of the database: postgres://user@host/database")
	f.StringVar(&a.postgres.Schema, "schema", "public", "`name` of the schema of the tables, in PostgreSQL")
	f.StringVar(&a.postgres.Table, "table", "messages", "`name` of the table, in PostgreSQL")
	f.StringVar(&a.partition, "partition", "", "`span` of a partition in PostgreSQL: day or month (default: day if the retention is 90 days or less, else month)")
	f.StringVar(&a.sqlite, "sqlite", "", "`file` of a SQLite database, in place of --postgres")
	f.DurationVar(&a.retention, "retention", 0, "how long messages are kept, 720h for 30 days; 0: for ever")
}

// archiveEnvironment sets the flags that were not given from the environment.
func archiveEnvironment(cmd *cobra.Command) error {
	var errs []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := "BELFRY_ARCHIVE_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		text := os.Getenv(name)
		if f.Changed || text == "" || f.Name == "help" {
			return
		}
		if err := cmd.Flags().Set(f.Name, text); err != nil {
			errs = append(errs, fmt.Errorf("environment variable %s is wrong: see --%s", name, f.Name)) // it may be a secret
		}
	})
	if err := errors.Join(errs...); err != nil {
		return usageError(cmd, err)
	}
	return nil
}

// validate names all that is wrong. needSource says that there has to be a source.
func (a *archiveFlags) validate(needSource bool) error {
	var errs []error
	hasRedis, hasKafka := a.bus.URL != "", a.kafka != ""
	switch {
	case hasRedis && hasKafka:
		errs = append(errs, errors.New("there are --redis and --kafka: give one of them"))
	case needSource && !hasRedis && !hasKafka:
		errs = append(errs, errors.New("where do messages come from? give --redis URL or --kafka URL"))
	}
	if hasRedis {
		conn, err := a.bus.Connection()
		errs = append(errs, cmp.Or(err, conn.Validate()))
	}
	if hasKafka {
		errs = append(errs, kafkaconn.Options{URL: a.kafka}.Validate())
	}
	a.postgres.Retention, a.postgres.Partition = a.retention, postgres.Span(a.partition)
	switch {
	case (a.postgres.URL != "") == (a.sqlite != ""):
		errs = append(errs, errors.New("where are messages kept? give --postgres URL or --sqlite FILE"))
	case a.sqlite != "":
		errs = append(errs, sqlite.Options{File: a.sqlite, Retention: a.retention}.Validate())
	default:
		errs = append(errs, a.postgres.Validate())
	}
	return errors.Join(errs...)
}

// database is a store of either kind.
type database interface {
	archive.Store
	archive.Tender
	archive.Surveyor
}
