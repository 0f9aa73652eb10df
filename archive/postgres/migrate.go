package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/seed-09a96375/belfry/archive"
)

// migrations lead from each version of the tables to the next, from nothing on. Once
// released a step never changes. {schema} is the schema, {table} the table's name.
//
// Texts compare by their bytes ("C"): faster, and the same order on every system.
// args is json and not jsonb, so that it comes out as it went in: 1.0 stays 1.0.
var migrations = []string{
	`CREATE TABLE {schema}.{table} (
		id         text COLLATE "C" NOT NULL,
		time       timestamptz NOT NULL,
		namespace  text COLLATE "C" NOT NULL,
		room       text COLLATE "C" NOT NULL,
		event      text NOT NULL,
		args       json NOT NULL,
		text       text,
		sender     text,
		socket     text,
		key        text,
		log_offset text,
		PRIMARY KEY (id, time)
	) PARTITION BY RANGE (time);
	CREATE INDEX {table}_room ON {schema}.{table} (namespace, room, time, id);`,

	// The key named a row by its time as well, which repetitions of a message need not
	// share. Each partition has an index of its own since, which needs no time.
	`DO $$
	DECLARE part record;
	BEGIN
		FOR part IN SELECT c.oid::regclass AS name, c.relname || '_id' AS index
			FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = '{schema}.{table}'::regclass
		LOOP
			EXECUTE format('DELETE FROM %s a USING %s b WHERE a.id = b.id AND a.time > b.time', part.name, part.name);
			EXECUTE format('CREATE UNIQUE INDEX %I ON %s (id)', part.index, part.name);
		END LOOP;
	END $$;
	ALTER TABLE {schema}.{table} DROP CONSTRAINT IF EXISTS {table}_pkey;`,
}

// migrateTime bounds all steps together: they may have to read every row.
const migrateTime = time.Hour

// migrate brings the tables to the newest version. Several may do so at once.
func (s *Store) migrate(ctx context.Context, steps []string) error {
	ctx, cancel := context.WithTimeout(ctx, migrateTime)
	defer cancel()
	return s.locked(ctx, func(tx pgx.Tx) error {
		versions := s.table("_schema")
		_, err := tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS "+versions+
			" (version int PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now())")
		if err != nil {
			return fmt.Errorf("create %s: %w", versions, err)
		}
		have, err := s.version(ctx, tx)
		if err != nil {
			return err
		}
		if have > len(steps) {
			return &archive.SchemaError{Have: have, Known: len(steps)}
		}
		for version := have + 1; version <= len(steps); version++ {
			if err := s.step(ctx, tx, steps[version-1], version); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) step(ctx context.Context, tx pgx.Tx, sql string, version int) error {
	sql = strings.NewReplacer("{schema}", s.o.Schema, "{table}", s.o.Table).Replace(sql)
	_, err := tx.Exec(ctx, sql)
	var fault *pgconn.PgError
	if errors.As(err, &fault) && fault.Code == codeDuplicateTable {
		return &TableError{Table: s.o.Schema + "." + s.o.Table}
	}
	if err != nil {
		return fmt.Errorf("upgrade the archive to version %d: %w", version, err)
	}
	_, err = tx.Exec(ctx, "INSERT INTO "+s.table("_schema")+" (version) VALUES ($1)", version)
	s.o.Logger.Info("archive: tables upgraded", "table", s.o.Table, "version", version)
	return err
}

type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func (s *Store) version(ctx context.Context, q querier) (v int, err error) {
	err = q.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM "+s.table("_schema")).Scan(&v)
	if err != nil {
		return 0, fmt.Errorf("read the version of the archive: %w", err)
	}
	return v, nil
}

// check reports whether the tables can be read.
func (s *Store) check(ctx context.Context, known int) error {
	var there bool
	err := s.pool.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", s.table("_schema")).Scan(&there)
	if err != nil {
		return fmt.Errorf("look for the archive: %w", err)
	}
	if !there {
		return ErrNoArchive
	}
	have, err := s.version(ctx, s.pool)
	if err != nil {
		return err
	}
	if have > known {
		return &archive.SchemaError{Have: have, Known: known}
	}
	return nil
}

// ErrNoArchive: no archiver has made its tables yet.
var ErrNoArchive = errors.New("the database holds no archive yet: belfry archive makes it")

// TableError says that a table of somebody else has the name of the archive's.
type TableError struct{ Table string }

func (e *TableError) Error() string {
	return "there is a table " + e.Table + " that is not an archive of belfry"
}

// Hint says what to do.
func (e *TableError) Hint() string { return "give the archive another table or schema" }
