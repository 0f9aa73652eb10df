package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/seed-09a96375/belfry/archive"
)

// surveyQuery estimates rows as the planner does: to count them would read them all.
const surveyQuery = `
SELECT c.relname,
	greatest(c.reltuples, coalesce(t.n_live_tup, 0), 0)::bigint,
	pg_total_relation_size(c.oid)
FROM pg_inherits i
	JOIN pg_class c ON c.oid = i.inhrelid
	LEFT JOIN pg_stat_all_tables t ON t.relid = c.oid
WHERE i.inhparent = to_regclass($1)`

// Survey is that of archive.Surveyor.
func (s *Store) Survey(ctx context.Context) (*archive.Survey, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	v := &archive.Survey{Estimated: true}
	have, err := s.partitions(ctx, s.pool)
	if err != nil {
		return nil, fmt.Errorf("list partitions: %w", err)
	}
	sizes, err := s.sizes(ctx)
	if err != nil {
		return nil, fmt.Errorf("measure partitions: %w", err)
	}
	for _, b := range have {
		size := sizes[b.name]
		v.Partitions = append(v.Partitions, archive.Partition{Name: b.name, From: b.from.UTC(), To: b.to.UTC(), Rows: size.rows, Bytes: size.bytes})
		v.Rows += size.rows
		v.Bytes += size.bytes
	}
	return v, nil
}

type size struct{ rows, bytes int64 }

func (s *Store) sizes(ctx context.Context) (map[string]size, error) {
	rows, err := s.pool.Query(ctx, surveyQuery, s.table())
	if err != nil {
		return nil, err
	}
	all := make(map[string]size)
	var name string
	var one size
	_, err = pgx.ForEachRow(rows, []any{&name, &one.rows, &one.bytes}, func() error {
		all[name] = one
		return nil
	})
	return all, err
}
