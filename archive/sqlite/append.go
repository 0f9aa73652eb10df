package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/seed-09a96375/belfry/archive"
)

// Append is that of archive.Store. Entries that are older than the retention are not
// kept: they would be dropped at once.
func (s *Store) Append(ctx context.Context, entries []archive.Entry) error {
	if entries = archive.Since(s.cut(time.Now()), entries); len(entries) == 0 {
		return nil
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write to the archive: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing, after Commit
	stmt, err := tx.PrepareContext(ctx, insert)
	if err != nil {
		return fmt.Errorf("write to the archive: %w", err)
	}
	defer func() { _ = stmt.Close() }()
	for i := range entries {
		if err := insertOne(ctx, stmt, &entries[i]); err != nil {
			return fmt.Errorf("write to the archive: %w", err)
		}
	}
	return tx.Commit()
}

func insertOne(ctx context.Context, stmt *sql.Stmt, e *archive.Entry) error {
	_, err := stmt.ExecContext(ctx, e.ID, e.Time.UnixMicro(), e.Namespace, string(e.Room), e.Event, string(e.Args),
		optional(e.Text), optional(e.User), optional(string(e.Socket)), optional(e.Key), optional(string(e.Offset)))
	return err
}

// optional is NULL in place of the empty text.
func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// cut is where the retention begins; zero: there is none.
func (s *Store) cut(now time.Time) time.Time {
	if s.o.Retention == 0 {
		return time.Time{}
	}
	return now.Add(-s.o.Retention)
}

// dropAtOnce bounds the rows that one transaction deletes: writers wait for it.
const dropAtOnce = 10_000

// Tend deletes what is older than the retention.
func (s *Store) Tend(ctx context.Context) error {
	if s.o.Retention == 0 {
		return nil
	}
	cut, all := s.cut(time.Now()), int64(0)
	for {
		r, err := s.write.ExecContext(ctx,
			"DELETE FROM messages WHERE rowid IN (SELECT rowid FROM messages WHERE time < ? LIMIT ?)", cut.UnixMicro(), dropAtOnce)
		if err != nil {
			return fmt.Errorf("delete what is old: %w", err)
		}
		n, err := r.RowsAffected()
		if all += n; err != nil || n < dropAtOnce {
			if all > 0 {
				s.o.Logger.Info("archive: entries deleted", "entries", all, "until", cut)
			}
			return err
		}
	}
}
