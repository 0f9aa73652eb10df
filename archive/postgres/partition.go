package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed-09a96375/belfry/archive"
)

// bounds are those of a partition; to is exclusive.
type bounds struct {
	name     string
	from, to time.Time
}

// boundsOf returns the partition of a span that t belongs to.
func (o *Options) boundsOf(span Span, t time.Time) bounds {
	t = t.UTC()
	if span == Day {
		from := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
		return bounds{o.Table + from.Format("_20060102"), from, from.AddDate(0, 0, 1)}
	}
	from := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	return bounds{o.Table + from.Format("_200601"), from, from.AddDate(0, 1, 0)}
}

// cut is where the retention begins; zero: there is none.
func (s *Store) cut(now time.Time) time.Time {
	if s.o.Retention == 0 {
		return time.Time{}
	}
	return now.Add(-s.o.Retention)
}

// prepare creates the partitions that entries need.
func (s *Store) prepare(ctx context.Context, entries []archive.Entry) error {
	var missing []time.Time
	var last bounds
	s.mu.Lock()
	for i := range entries {
		t := entries[i].Time
		if !t.Before(last.from) && t.Before(last.to) {
			continue // as most are
		}
		last = s.o.boundsOf(s.o.Partition, t)
		if !s.ready[last.name] {
			missing = append(missing, t)
		}
	}
	s.mu.Unlock()
	if len(missing) == 0 {
		return nil
	}
	return s.create(ctx, missing)
}

// create makes sure that there are partitions for these times.
func (s *Store) create(ctx context.Context, times []time.Time) error {
	for _, t := range times {
		b := s.o.boundsOf(s.o.Partition, t)
		if s.isReady(b.name) {
			continue
		}
		err := s.inTransaction(ctx, func(tx pgx.Tx) error { return s.createOne(ctx, tx, b) })
		if err != nil {
			return fmt.Errorf("create partition %s: %w", b.name, err)
		}
		s.mu.Lock()
		s.ready[b.name] = true
		s.mu.Unlock()
	}
	return nil
}

func (s *Store) isReady(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ready[name]
}

// createOne fills what other partitions leave free of b: where the span was changed
// they may cover some of it. A new table is attached, and not created as a partition,
// since to attach does not lock out those who write.
func (s *Store) createOne(ctx context.Context, tx pgx.Tx, b bounds) error {
	have, err := s.partitions(ctx, tx)
	if err != nil {
		return err
	}
	for i, free := range freeOf(b, have) {
		name := free.name
		if i > 0 || !free.from.Equal(b.from) {
			name = s.o.Table + free.from.Format("_20060102")
		}
		table := pgx.Identifier{s.o.Schema, name}.Sanitize()
		sql := fmt.Sprintf("CREATE TABLE %s (LIKE %s); CREATE UNIQUE INDEX %s ON %s (id);"+
			" ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM ('%s') TO ('%s')",
			table, s.table(), pgx.Identifier{name + "_id"}.Sanitize(), table,
			s.table(), table, free.from.Format(time.RFC3339), free.to.Format(time.RFC3339))
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
		s.o.Logger.Info("archive: partition created", "name", name)
	}
	return nil
}

// freeOf returns the parts of b that are not in any of have, which are in order.
func freeOf(b bounds, have []bounds) []bounds {
	var free []bounds
	from := b.from
	for _, h := range have {
		if !h.to.After(from) || !h.from.Before(b.to) {
			continue
		}
		if h.from.After(from) {
			free = append(free, bounds{b.name, from, h.from})
		}
		from = h.to
	}
	if from.Before(b.to) {
		free = append(free, bounds{b.name, from, b.to})
	}
	return free
}

// partitionsQuery reads the bounds from the catalog, which knows also what was
// attached or dropped by hand.
const partitionsQuery = `
SELECT relname, lower[1]::timestamptz, upper[1]::timestamptz
FROM (
	SELECT c.relname,
		regexp_match(pg_get_expr(c.relpartbound, c.oid), $$FROM \('([^']+)'\)$$) AS lower,
		regexp_match(pg_get_expr(c.relpartbound, c.oid), $$TO \('([^']+)'\)$$) AS upper
	FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
	WHERE i.inhparent = to_regclass($1)
) p
WHERE lower IS NOT NULL AND upper IS NOT NULL
ORDER BY 2`

type rowsQuerier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// partitions returns all partitions, in order.
func (s *Store) partitions(ctx context.Context, q rowsQuerier) ([]bounds, error) {
	rows, err := q.Query(ctx, partitionsQuery, s.table())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (b bounds, err error) {
		err = row.Scan(&b.name, &b.from, &b.to)
		return b, err
	})
}

func (s *Store) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.ready)
}

// Tend creates the partitions of this span and the next, and drops those that are
// older than the retention.
func (s *Store) Tend(ctx context.Context) error {
	now := time.Now()
	next := s.o.boundsOf(s.o.Partition, now).to
	err := s.create(ctx, []time.Time{now, next})
	if s.o.Retention > 0 {
		err = errors.Join(err, s.dropBefore(ctx, s.cut(now)))
	}
	return err
}

// dropBefore drops partitions that hold nothing newer than cut. To drop one locks the
// table for an instant, after whoever reads it at that time: rather than let everybody
// wait for a slow reader it gives up, and is done at the next Tend.
func (s *Store) dropBefore(ctx context.Context, cut time.Time) error {
	have, err := s.partitions(ctx, s.pool)
	if err != nil {
		return fmt.Errorf("list partitions: %w", err)
	}
	for _, b := range have {
		if b.to.After(cut) {
			break
		}
		if err := s.drop(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) drop(ctx context.Context, b bounds) error {
	err := s.inTransaction(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '2s'"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "DROP TABLE IF EXISTS "+pgx.Identifier{s.o.Schema, b.name}.Sanitize())
		return err
	})
	if err != nil {
		return fmt.Errorf("drop partition %s: %w", b.name, err)
	}
	s.mu.Lock()
	delete(s.ready, b.name)
	s.mu.Unlock()
	s.o.Logger.Info("archive: partition dropped", "name", b.name, "until", b.to)
	return nil
}
