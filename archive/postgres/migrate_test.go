//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/archive/archivetest"
	"github.com/seed-09a96375/belfry/archive/postgres"
	"github.com/seed-09a96375/belfry/internal/postgrestest"
)

// ask returns the one value that a statement gives.
func ask[T any](t testing.TB, url, sql string, args ...any) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var v T
	if err := conn.QueryRow(ctx, sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func migrations(t *testing.T, server *postgrestest.Server) {
	o := postgres.Options{URL: server.Database(t), Table: "log"}
	open(t, o)
	open(t, o)
	if n := ask[int](t, o.URL, "SELECT count(*) FROM log_schema"); n != 2 {
		t.Errorf("%d steps were taken", n)
	}
	// Another archive in the same database, and one in another schema.
	o.Table = "other"
	if err := open(t, o).Append(t.Context(), archivetest.Entries("r", 0, 3)); err != nil {
		t.Error(err)
	}
	server.Exec(t, o.URL, "CREATE SCHEMA apart")
	o.Schema = "apart"
	if err := open(t, o).Append(t.Context(), archivetest.Entries("r", 0, 4)); err != nil {
		t.Error(err)
	}
	if n := ask[int](t, o.URL, "SELECT (SELECT count(*) FROM other) + 10 * (SELECT count(*) FROM apart.other)"); n != 43 {
		t.Errorf("rows: %d", n)
	}
}

// fromTheFirst upgrades tables whose rows were named by time, too: what is doubled goes.
func fromTheFirst(t *testing.T, server *postgrestest.Server) {
	o := postgres.Options{URL: server.Database(t), Partition: postgres.Day}
	s := open(t, o)
	all := archivetest.Entries("r", 0, 3)
	appendTo(t, s, all...)
	index := "messages_" + all[0].Time.Format("20060102") + "_id"
	server.Exec(t, o.URL, "DROP INDEX "+index)
	server.Exec(t, o.URL, "ALTER TABLE messages ADD PRIMARY KEY (id, time)")
	server.Exec(t, o.URL, "DELETE FROM messages_schema WHERE version > 1")
	server.Exec(t, o.URL, `INSERT INTO messages (id, time, namespace, room, event, args)
		SELECT id, time + interval '1 s', namespace, room, event, args FROM messages`)
	s = open(t, o)
	again := all[0]
	again.Time = again.Time.Add(time.Minute)
	appendTo(t, s, again)
	if got := archivetest.All(t.Context(), t, s, "r"); len(got) != 3 || !got[2].Time.Equal(all[2].Time) {
		t.Errorf("%d rows: %v", len(got), got)
	}
	if n := ask[int](t, o.URL, "SELECT count(*) FROM pg_class WHERE relname = $1 OR relname = 'messages_pkey'", index); n != 1 {
		t.Errorf("%d of the indexes", n)
	}
}

func othersTable(t *testing.T, server *postgrestest.Server) {
	o := postgres.Options{URL: server.Database(t)}
	server.Exec(t, o.URL, "CREATE TABLE messages (id serial PRIMARY KEY, text text)")
	_, err := postgres.Open(t.Context(), o)
	var fault *postgres.TableError
	if !errors.As(err, &fault) || fault.Table != "public.messages" || fault.Hint() == "" {
		t.Errorf("%v", err)
	}
	if n := ask[int](t, o.URL, "SELECT count(*) FROM pg_class WHERE relname = 'messages_schema'"); n != 0 {
		t.Error("something was left behind")
	}
}

func newerSchema(t *testing.T, server *postgrestest.Server) {
	o := postgres.Options{URL: server.Database(t)}
	open(t, o)
	server.Exec(t, o.URL, "INSERT INTO messages_schema VALUES (99)")
	for _, f := range []func(context.Context, postgres.Options) (*postgres.Store, error){postgres.Open, postgres.OpenToRead} {
		_, err := f(t.Context(), o)
		var fault *archive.SchemaError
		if !errors.As(err, &fault) || fault.Have != 99 || fault.Known >= 99 || fault.Hint() == "" {
			t.Errorf("%v", err)
		}
	}
}

// manyStart starts several archivers at once on an empty database.
func manyStart(t *testing.T, server *postgrestest.Server) {
	o := postgres.Options{URL: server.Database(t), Logger: slog.New(slog.DiscardHandler)}
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			s, err := postgres.Open(t.Context(), o)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if err := s.Tend(t.Context()); err != nil {
				t.Error(err)
			}
			if err := s.Append(t.Context(), archivetest.Entries("r", 0, 50)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := ask[int](t, o.URL, "SELECT count(*) FROM messages"); n != 50 {
		t.Errorf("%d rows", n)
	}
}

func openToRead(t *testing.T, server *postgrestest.Server) {
	o := postgres.Options{URL: server.Database(t)}
	if _, err := postgres.OpenToRead(t.Context(), o); !errors.Is(err, postgres.ErrNoArchive) {
		t.Errorf("an empty database: %v", err)
	}
	open(t, o)
	s, err := postgres.OpenToRead(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

func TestOptions(t *testing.T) {
	err := postgres.Options{
		Schema: "x y", Table: strings.Repeat("t", 41), Retention: time.Minute, Partition: "week", Timeout: -1, MaxConns: -1,
	}.Validate()
	for _, want := range []string{"URL is empty", "Schema is x y", "Table is ttt", "Retention is 1m", "Partition is week", "Timeout is -1ns", "MaxConns is -1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	err = postgres.Options{URL: "postgres://ada:s3cret@[/x"}.Validate()
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%v", err)
	}
	if err := (postgres.Options{URL: "postgres://localhost/x"}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestNobodyThere(t *testing.T) {
	_, err := postgres.Open(t.Context(), postgres.Options{URL: "postgres://ada:s3cret@127.0.0.1:1/x"})
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%v", err)
	}
}
