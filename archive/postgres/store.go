// Package postgres keeps the archive in PostgreSQL, 13 or newer.
//
//	messages              partitioned by time; a row is named by its id
//	messages_20261123     a partition, of a day or a month, by UTC
//	messages_20261123_id  its index: an id is in it once
//	messages_schema       the version of the tables
//
// A batch is one COPY, straight into the table. Only if that meets a row that is
// there already, after a failure or a restart, it goes by a temporary table that
// leaves out what is there; and where the same message may be in the partition next
// to it.
package postgres

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed-09a96375/belfry/archive"
)

// Store is an archive.Store, with archive.Tender and archive.Surveyor. Safe for
// concurrent use; any number of processes may have one of the same table.
type Store struct {
	o    Options
	pool *pgxpool.Pool
	sql  statements

	mu    sync.Mutex
	ready map[string]bool // partitions that are known to be there, by name
}

var (
	_ archive.Store    = (*Store)(nil)
	_ archive.Tender   = (*Store)(nil)
	_ archive.Surveyor = (*Store)(nil)
)

// Open connects, and brings the tables to the version that this package knows. A
// *archive.SchemaError says that they are newer.
func Open(ctx context.Context, o Options) (*Store, error) {
	s, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := s.migrate(ctx, migrations); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// OpenToRead connects and leaves the tables as they are.
func OpenToRead(ctx context.Context, o Options) (*Store, error) {
	s, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := s.check(ctx, len(migrations)); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func open(ctx context.Context, o Options) (*Store, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	c, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return nil, fmt.Errorf("read the URL of the database: %w", err)
	}
	c.MaxConns = int32(o.MaxConns)                  //nolint:gosec // small
	c.ConnConfig.RuntimeParams["timezone"] = "UTC"  // days are days of UTC
	c.ConnConfig.RuntimeParams["datestyle"] = "ISO" // bounds of partitions are read as text
	c.ConnConfig.RuntimeParams["client_encoding"] = "UTF8"
	c.ConnConfig.ConnectTimeout = o.Timeout
	if c.ConnConfig.RuntimeParams["application_name"] == "" {
		c.ConnConfig.RuntimeParams["application_name"] = "belfry"
	}
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, err
	}
	s := &Store{o: o, pool: pool, ready: make(map[string]bool)}
	s.sql = statementsFor(s.table())
	if err := s.checkServer(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) checkServer(ctx context.Context) error {
	const oldest = 130000
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	var version int
	if err := s.pool.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	if version < oldest {
		return fmt.Errorf("the database is PostgreSQL %d: the archive needs 13 or newer", version/10000)
	}
	return nil
}

// Close ends the connections. It waits for calls that are under way.
func (s *Store) Close() { s.pool.Close() }

// table returns the name of the table, quoted; with a suffix that of another.
func (s *Store) table(suffix ...string) string {
	n := s.o.Table
	for _, x := range suffix {
		n += x
	}
	return pgx.Identifier{s.o.Schema, n}.Sanitize()
}

// inTransaction calls f in a transaction that holds the lock of this table's tables:
// no other process migrates, creates or drops at the same time.
func (s *Store) inTransaction(ctx context.Context, f func(pgx.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	return s.locked(ctx, f)
}

// locked is inTransaction for as long as it takes.
func (s *Store) locked(ctx context.Context, f func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		lock := "belfry archive " + s.table()
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", lock); err != nil {
			return err
		}
		return f(tx)
	})
}
