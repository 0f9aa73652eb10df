package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
)

// Page is that of archive.Store.
func (s *Store) Page(ctx context.Context, q archive.Query) ([]archive.Entry, error) {
	q, err := q.Complete()
	if err != nil {
		return nil, err
	}
	text, args := pageQuery(q)
	rows, err := s.read.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var entries []archive.Entry
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read the history: %w", err)
		}
		entries = append(entries, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	return entries, nil
}

func pageQuery(q archive.Query) (text string, args []any) {
	var b strings.Builder
	b.WriteString("SELECT " + columns + " FROM messages WHERE namespace = ? AND room = ?")
	args = []any{q.Namespace, string(q.Room)}
	bound := func(p archive.Position, sign string) {
		if !p.IsZero() {
			b.WriteString(" AND (time, id) " + sign + " (?, ?)")
			args = append(args, p.Time.UnixMicro(), p.ID)
		}
	}
	bound(q.Before, "<")
	bound(q.After, ">")
	if q.Oldest {
		b.WriteString(" ORDER BY time, id LIMIT ?")
	} else {
		b.WriteString(" ORDER BY time DESC, id DESC LIMIT ?")
	}
	return b.String(), append(args, q.Limit)
}

func scan(rows *sql.Rows) (archive.Entry, error) {
	var (
		e                               archive.Entry
		at                              int64
		args                            string
		text, user, socket, key, offset sql.NullString
	)
	err := rows.Scan(&e.ID, &at, &e.Namespace, (*string)(&e.Room), &e.Event, &args, &text, &user, &socket, &key, &offset)
	e.Time, e.Args = time.UnixMicro(at).UTC(), json.RawMessage(args)
	e.Text, e.User, e.Key = text.String, user.String, key.String
	e.Socket, e.Offset = belfry.SocketID(socket.String), belfry.Offset(offset.String)
	return e, err
}

// Survey is that of archive.Surveyor.
func (s *Store) Survey(ctx context.Context) (*archive.Survey, error) {
	v := &archive.Survey{}
	err := s.read.QueryRowContext(ctx,
		"SELECT (SELECT count(*) FROM messages), page_count * page_size FROM pragma_page_count(), pragma_page_size()").
		Scan(&v.Rows, &v.Bytes)
	if err != nil {
		return nil, fmt.Errorf("survey the archive: %w", err)
	}
	return v, nil
}
