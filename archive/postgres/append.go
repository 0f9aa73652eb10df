package postgres

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seed-09a96375/belfry/archive"
)

// statements are those with the name of the table in them.
type statements struct{ copy, stage, copyStage, merge string }

func statementsFor(table string) statements {
	return statements{
		copy:      "COPY " + table + " (" + columns + ") FROM STDIN BINARY",
		stage:     "CREATE TEMP TABLE belfry_stage (LIKE " + table + ") ON COMMIT DROP",
		copyStage: "COPY belfry_stage (" + columns + ") FROM STDIN BINARY",
		// Sorted, so that two that merge the same rows do not wait for each other. The
		// times are for the partitions on both sides, whose indexes do not know of each
		// other.
		merge: "INSERT INTO " + table + " (" + columns + ") SELECT DISTINCT ON (id) " + columns + " FROM belfry_stage s" +
			" WHERE NOT EXISTS (SELECT FROM " + table + " m WHERE m.id = s.id AND m.time BETWEEN $1 AND $2)" +
			" ORDER BY id, time ON CONFLICT DO NOTHING",
	}
}

// Append is that of archive.Store. Entries that are older than the retention are not
// kept: they would be dropped at once.
func (s *Store) Append(ctx context.Context, entries []archive.Entry) error {
	if entries = archive.Since(s.cut(time.Now()), entries); len(entries) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	data := encode(make([]byte, 0, sizeOf(entries)), entries)
	err := s.write(ctx, entries, data)
	if hasCode(err, codeCheck) { // somebody has dropped a partition by hand
		s.forget()
		err = s.write(ctx, entries, data)
	}
	if err != nil && !isAnswer(err) {
		s.pool.Reset() // the other connections are as broken, most likely
	}
	return judge(err)
}

func sizeOf(entries []archive.Entry) int {
	n := 0
	for i := range entries {
		n += entries[i].Size()
	}
	return n
}

func (s *Store) write(ctx context.Context, entries []archive.Entry, data []byte) error {
	if err := s.prepare(ctx, entries); err != nil {
		return fmt.Errorf("prepare partitions: %w", err)
	}
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer conn.Release()
	from, to := span(entries)
	if atBound(from, to) {
		return s.mergeIn(ctx, conn, data, from, to)
	}
	_, err = copyFrom(ctx, conn, s.sql.copy, data)
	if hasCode(err, codeUnique) {
		err = s.mergeIn(ctx, conn, data, from, to)
	}
	return err
}

// repeated is how far the times of a message and of its repetition may be apart where
// there is a bound of partitions between them: twice the window of queues.
const repeated = 10 * time.Minute

// span returns the first and the last time of entries.
func span(entries []archive.Entry) (from, to time.Time) {
	from, to = entries[0].Time, entries[0].Time
	for i := range entries {
		if t := entries[i].Time; t.Before(from) {
			from = t
		} else if t.After(to) {
			to = t
		}
	}
	return from, to
}

// atBound reports whether there may be a bound of partitions between these times, or
// near them: those are at midnight.
func atBound(from, to time.Time) bool {
	const day = 24 * time.Hour
	return !from.Add(-repeated).UTC().Truncate(day).Equal(to.Add(repeated).UTC().Truncate(day))
}

func copyFrom(ctx context.Context, conn *pgxpool.Conn, sql string, data []byte) (pgconn.CommandTag, error) {
	return conn.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(data), sql)
}

// mergeIn adds the rows that are not there; their times are from the one to the other.
func (s *Store) mergeIn(ctx context.Context, conn *pgxpool.Conn, data []byte, from, to time.Time) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, s.sql.stage); err != nil {
			return fmt.Errorf("create a temporary table: %w", err)
		}
		if _, err := copyFrom(ctx, conn, s.sql.copyStage, data); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, s.sql.merge, from.Add(-repeated), to.Add(repeated))
		return err
	})
}
