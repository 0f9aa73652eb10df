// Package sqlite keeps the archive in a file, with SQLite: for one machine, with no
// other service.
//
// One connection writes, others read meanwhile (write-ahead log). What Append has
// returned nil for is on the disk.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver, without cgo

	"github.com/seed-09a96375/belfry/archive"
)

// Store is an archive.Store, with archive.Tender and archive.Surveyor. Safe for
// concurrent use; several processes of one machine may have one of the same file.
type Store struct {
	o     Options
	write *sql.DB // of one connection
	read  *sql.DB
}

var (
	_ archive.Store    = (*Store)(nil)
	_ archive.Tender   = (*Store)(nil)
	_ archive.Surveyor = (*Store)(nil)
)

// Open opens the file, or makes it, and brings its tables to the version that this
// package knows. A *archive.SchemaError says that they are newer.
func Open(ctx context.Context, o Options) (*Store, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	s := &Store{o: o}
	var err error
	// Writers take their lock at once: one that reads first and then finds another
	// writing would fail without waiting.
	if s.write, err = o.connect(1, "rwc", "immediate"); err != nil {
		return nil, err
	}
	if err := s.migrate(ctx, migrations); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if s.read, err = o.connect(o.MaxReaders, "ro", "deferred"); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// OpenToRead opens a file that is there and leaves it as it is; Append fails.
func OpenToRead(ctx context.Context, o Options) (*Store, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	s := &Store{o: o.withDefaults()}
	var err error
	if s.read, err = s.o.connect(s.o.MaxReaders, "ro", "deferred"); err != nil {
		return nil, err
	}
	s.write = s.read
	if err := s.check(ctx, len(migrations)); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (o *Options) connect(most int, mode, lock string) (*sql.DB, error) {
	file, err := filepath.Abs(o.File)
	if err != nil {
		return nil, fmt.Errorf("open the archive: %w", err)
	}
	q := url.Values{
		"mode":    {mode},
		"_txlock": {lock},
		"_pragma": {
			fmt.Sprintf("busy_timeout(%d)", o.BusyTimeout.Milliseconds()),
			"journal_mode(wal)", "synchronous(full)", // what is committed survives a power cut
			"foreign_keys(on)", "cache_size(-16000)",
		},
	}
	if mode == "ro" {
		q["_pragma"] = q["_pragma"][:1]
	}
	name := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(file), RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, fmt.Errorf("open the archive: %w", err)
	}
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	return db, nil
}

// Close closes the file. No call may be under way.
func (s *Store) Close() error {
	err := s.write.Close()
	if s.read != nil && s.read != s.write {
		err = errors.Join(err, s.read.Close())
	}
	return err
}

// migrations lead from each version of the tables to the next, from nothing on. Once
// released a step never changes. Times are microseconds since 1970.
var migrations = []string{
	`CREATE TABLE messages (
		id         TEXT NOT NULL,
		time       INTEGER NOT NULL,
		namespace  TEXT NOT NULL,
		room       TEXT NOT NULL,
		event      TEXT NOT NULL,
		args       TEXT NOT NULL,
		text       TEXT,
		sender     TEXT,
		socket     TEXT,
		key        TEXT,
		log_offset TEXT,
		UNIQUE (id)
	) STRICT;
	CREATE INDEX messages_room ON messages (namespace, room, time, id);
	CREATE INDEX messages_time ON messages (time);`,
}

// migrate brings the tables to the newest version. Several may do so at once.
func (s *Store) migrate(ctx context.Context, steps []string) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("open the archive %s: %w", s.o.File, err)
	}
	defer func() { _ = tx.Rollback() }() // nothing, after Commit
	var have int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return fmt.Errorf("read the version of the archive: %w", err)
	}
	if have > len(steps) {
		return &archive.SchemaError{Have: have, Known: len(steps)}
	}
	for version := have + 1; version <= len(steps); version++ {
		if _, err := tx.ExecContext(ctx, steps[version-1]); err != nil {
			return fmt.Errorf("upgrade the archive to version %d: %w", version, err)
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(steps))); err != nil {
		return fmt.Errorf("upgrade the archive: %w", err)
	}
	return tx.Commit()
}

// check reports whether the tables can be read.
func (s *Store) check(ctx context.Context, known int) error {
	var have int
	err := s.read.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have)
	switch {
	case err != nil:
		return fmt.Errorf("open the archive %s: %w", s.o.File, err)
	case have == 0:
		return ErrNoArchive
	case have > known:
		return &archive.SchemaError{Have: have, Known: known}
	}
	return nil
}

// ErrNoArchive: no archiver has made its tables yet.
var ErrNoArchive = errors.New("the file holds no archive: belfry archive makes one")

const columns = "id, time, namespace, room, event, args, text, sender, socket, key, log_offset"

// insert is the statement for one row.
var insert = "INSERT INTO messages (" + columns + ") VALUES (?" + strings.Repeat(", ?", strings.Count(columns, ",")) +
	") ON CONFLICT (id) DO NOTHING"
