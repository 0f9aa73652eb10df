//go:build unix

package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/archive/archivetest"
	"github.com/seed-09a96375/belfry/archive/postgres"
	"github.com/seed-09a96375/belfry/internal/postgrestest"
)

// aged makes entries of the room, one a day, the newest of today.
func aged(room belfry.Room, days int) []archive.Entry {
	all := archivetest.Entries(room, 0, days)
	for i := range all {
		all[i].Time = time.Now().UTC().AddDate(0, 0, i+1-days).Truncate(time.Microsecond)
	}
	return all
}

func appendTo(t *testing.T, s archive.Store, entries ...archive.Entry) {
	t.Helper()
	if err := s.Append(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
}

func retention(t *testing.T, server *postgrestest.Server) {
	o := postgres.Options{URL: server.Database(t), Partition: postgres.Day}
	all := aged("r", 20)
	appendTo(t, open(t, o), all...)
	o.Retention = 5 * 24 * time.Hour
	s := open(t, o)
	if err := s.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, err := s.Survey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// Five days and the part of a sixth that is not old yet, and tomorrow.
	if n := len(v.Partitions); n != 7 {
		t.Errorf("%d partitions: %+v", n, v.Partitions)
	}
	if got := archivetest.All(t.Context(), t, s, "r"); len(got) != 6 || got[5].ID != all[19].ID {
		t.Errorf("%d entries are left", len(got))
	}
	appendTo(t, s, all...) // what is too old makes no new partitions
	if n := ask[int](t, o.URL, "SELECT count(*) FROM messages"); n != 6 {
		t.Errorf("%d rows after all were appended again", n)
	}
	if n := ask[int](t, o.URL, "SELECT count(*) FROM pg_class WHERE relname ~ '^messages_[0-9]+$' AND relkind = 'r'"); n != 7 {
		t.Errorf("%d tables of partitions", n)
	}
}

// spanChanges goes from days to months and back: there is no overlap and no hole.
func spanChanges(t *testing.T, server *postgrestest.Server) {
	o := postgres.Options{URL: server.Database(t), Partition: postgres.Day}
	all := aged("r", 100)
	appendTo(t, open(t, o), all[40:45]...)
	o.Partition = postgres.Month
	appendTo(t, open(t, o), all[10:70]...)
	o.Partition = postgres.Day
	s := open(t, o)
	appendTo(t, s, all...)
	if got := archivetest.All(t.Context(), t, s, "r"); len(got) != len(all) {
		t.Errorf("%d entries", len(got))
	}
	v, err := s.Survey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range v.Partitions[1:] {
		if p.From.Before(v.Partitions[i].To) {
			t.Errorf("%+v overlaps %+v", p, v.Partitions[i])
		}
	}
}

func partitionDropped(t *testing.T, server *postgrestest.Server) {
	o := postgres.Options{URL: server.Database(t), Partition: postgres.Day}
	s := open(t, o)
	e := archivetest.Entry("r", 1)
	appendTo(t, s, e)
	server.Exec(t, o.URL, "DROP TABLE messages_"+e.Time.Format("20060102"))
	appendTo(t, s, archivetest.Entries("r", 0, 3)...)
	if got := archivetest.All(t.Context(), t, s, "r"); len(got) != 3 {
		t.Errorf("%d entries", len(got))
	}
}

// refuses has a room that no index takes: it is long, and nothing makes it shorter.
func refuses(t *testing.T, server *postgrestest.Server) {
	s := open(t, postgres.Options{URL: server.Database(t)})
	bad := archivetest.Entry("r", 1)
	var room strings.Builder
	for room.Len() < 9000 {
		room.WriteRune(rune('!' + rand.IntN(90))) //nolint:gosec // guards nothing
	}
	bad.Room = belfry.Room(room.String())
	err := s.Append(t.Context(), []archive.Entry{archivetest.Entry("r", 0), bad})
	var refused *archive.RefusedError
	if !errors.As(err, &refused) {
		t.Errorf("%v", err)
	}
	if got := archivetest.All(t.Context(), t, s, "r"); len(got) != 0 {
		t.Errorf("%d entries", len(got))
	}
}

// slowReader holds the table while a partition is to be dropped: writers do not wait
// for it, and the partition goes later.
func slowReader(t *testing.T, server *postgrestest.Server) {
	o := postgres.Options{URL: server.Database(t), Partition: postgres.Day}
	all := aged("r", 10)
	appendTo(t, open(t, o), all...)
	o.Retention = 3 * 24 * time.Hour
	s := open(t, o)
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, o.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	tx, err := conn.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM messages").Scan(&n); err != nil || n != 10 {
		t.Fatal(n, err)
	}
	if err := s.Tend(ctx); err == nil {
		t.Error("what is read was dropped")
	}
	appendTo(t, s, archivetest.Entry("other", 1))
	if err := tx.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Tend(ctx); err != nil {
		t.Error(err)
	}
	if got := archivetest.All(ctx, t, s, "r"); len(got) != 4 {
		t.Errorf("%d entries", len(got))
	}
}

// pagesLeaveOut looks at the plan of a page that has a bound: partitions that are
// beyond it are not read.
func pagesLeaveOut(t *testing.T, server *postgrestest.Server) {
	o := postgres.Options{URL: server.Database(t), Partition: postgres.Day}
	s := open(t, o)
	all := aged("r", 40)
	appendTo(t, s, all...)
	sql := `SELECT string_agg(line, ' ') FROM (SELECT json_array_elements_text(plan -> 0 -> 'tables') AS line FROM tables_of($1)) x`
	server.Exec(t, o.URL, `CREATE FUNCTION tables_of(before timestamptz) RETURNS TABLE (plan json) LANGUAGE plpgsql AS $$
		DECLARE found json;
		BEGIN
			EXECUTE format('EXPLAIN (FORMAT json) SELECT * FROM messages WHERE namespace = ''/'' AND room = ''r''
				AND (time, id) < (%L, ''x'') AND time <= %L ORDER BY time DESC, id DESC LIMIT 5', before, before) INTO found;
			RETURN QUERY SELECT json_build_array(json_build_object('tables',
				(SELECT json_agg(m[1]) FROM regexp_matches(found::text, '"Relation Name": "([^"]+)"', 'g') m)));
		END $$`)
	tables := ask[string](t, o.URL, sql, all[9].Time)
	if n := len(strings.Fields(tables)); n != 10 {
		t.Errorf("the page reads %d partitions: %s", n, tables)
	}
}

// columnsAreReadable reads rows as somebody with psql does.
func columnsAreReadable(t *testing.T, server *postgrestest.Server) {
	o := postgres.Options{URL: server.Database(t)}
	e := archivetest.Entry("r", 1)
	e.User, e.Socket = "", ""
	appendTo(t, open(t, o), e)
	got := ask[string](t, o.URL, `SELECT concat_ws('|', id, text, coalesce(sender, 'nobody'), room, args -> 0 ->> 'text',
		extract(epoch FROM time)::bigint, socket IS NULL, log_offset) FROM messages`)
	want := "r-000001|message 1|nobody|r|message 1|" + string(must(json.Marshal(e.Time.Unix()))) + "|t|epoch-1"
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
