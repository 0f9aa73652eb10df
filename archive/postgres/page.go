package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
)

// Page is that of archive.Store.
func (s *Store) Page(ctx context.Context, q archive.Query) ([]archive.Entry, error) {
	q, err := q.Complete()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	sql, args := s.pageQuery(q)
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	entries, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	if len(entries) == 0 {
		return nil, nil
	}
	return entries, nil
}

// pageQuery asks for the bounds of time by themselves too: by them partitions are left
// out, which the bounds of (time, id) do not do.
func (s *Store) pageQuery(q archive.Query) (sql string, args []any) {
	var b strings.Builder
	b.WriteString("SELECT " + columns + " FROM " + s.table() + " WHERE namespace = $1 AND room = $2")
	args = []any{q.Namespace, string(q.Room)}
	bound := func(p archive.Position, sign string) {
		if !p.IsZero() {
			n := len(args) + 1
			fmt.Fprintf(&b, " AND (time, id) %s ($%d, $%d) AND time %s= $%d", sign, n, n+1, sign, n)
			args = append(args, p.Time, p.ID)
		}
	}
	bound(q.Before, "<")
	bound(q.After, ">")
	if q.Oldest {
		b.WriteString(" ORDER BY time, id")
	} else {
		b.WriteString(" ORDER BY time DESC, id DESC")
	}
	fmt.Fprintf(&b, " LIMIT %d", q.Limit)
	return b.String(), args
}

func scan(row pgx.CollectableRow) (archive.Entry, error) {
	var (
		e                               archive.Entry
		text, user, socket, key, offset *string
	)
	err := row.Scan(&e.ID, &e.Time, &e.Namespace, (*string)(&e.Room), &e.Event, (*[]byte)(&e.Args), &text, &user, &socket, &key, &offset)
	e.Time = e.Time.UTC().Truncate(time.Microsecond)
	e.Text, e.User, e.Key = value(text), value(user), value(key)
	e.Socket, e.Offset = belfry.SocketID(value(socket)), belfry.Offset(value(offset))
	return e, err
}

func value(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
