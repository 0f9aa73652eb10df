package postgres

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Options of a Store. URL is needed.
type Options struct {
	// URL names the database, as libpq has it: postgres://user@host/database, with
	// sslmode and all else as its query.
	URL string
	// Schema is where the tables are. Default "public". It has to exist.
	Schema string
	// Table is the name of the table of messages, and what the names of all else
	// begin with. Default "messages".
	Table string
	// Retention is how long entries are kept. They go by partitions, once all of one
	// is older. 0: for ever.
	Retention time.Duration
	// Partition is the span of a partition: Day or Month. Default: Day if Retention
	// is 90 days or less, else Month. It may change: it is that of new partitions.
	Partition Span
	// Timeout bounds a statement, so that a server that is silent is noticed.
	// Default 30 s.
	Timeout time.Duration
	// MaxConns bounds the connections. Default 4.
	MaxConns int
	// Logger gets what is created and dropped. Default slog.Default().
	Logger *slog.Logger
}

// Span is how long a partition is.
type Span string

// The spans.
const (
	Day   Span = "day"
	Month Span = "month"
)

func (o Options) withDefaults() Options {
	if o.Schema == "" {
		o.Schema = "public"
	}
	if o.Table == "" {
		o.Table = "messages"
	}
	if o.Partition == "" {
		o.Partition = Month
		if o.Retention > 0 && o.Retention <= 90*24*time.Hour {
			o.Partition = Day
		}
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.MaxConns == 0 {
		o.MaxConns = 4
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// name is what needs no quotes and leaves room for the names of partitions in the 63
// bytes that Postgres has for a name.
var name = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,39}$`)

// Validate names the options that cannot work, all of them. It does not tell the URL,
// which may hold a password.
func (o Options) Validate() error {
	var errs []error
	bad := func(field string, v any, rule string) {
		errs = append(errs, fmt.Errorf("postgres: Options.%s is %v: must be %s", field, v, rule))
	}
	if o.URL == "" {
		bad("URL", "empty", "postgres://user@host/database")
	} else if _, err := pgxpool.ParseConfig(o.URL); err != nil {
		bad("URL", "wrong", "postgres://user@host/database")
	}
	if o.Schema != "" && !name.MatchString(o.Schema) {
		bad("Schema", o.Schema, "lower case letters, digits and _, 40 at most")
	}
	if o.Table != "" && !name.MatchString(o.Table) {
		bad("Table", o.Table, "lower case letters, digits and _, 40 at most")
	}
	if o.Retention < 0 || o.Retention > 0 && o.Retention < time.Hour {
		bad("Retention", o.Retention, "1h or more, or 0 for ever")
	}
	if o.Partition != "" && o.Partition != Day && o.Partition != Month {
		bad("Partition", o.Partition, "day or month")
	}
	if o.Timeout < 0 {
		bad("Timeout", o.Timeout, "positive, or 0 for the default")
	}
	if o.MaxConns < 0 {
		bad("MaxConns", o.MaxConns, "positive, or 0 for the default")
	}
	return errors.Join(errs...)
}
