//go:build unix

package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/archive/postgres"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/internal/postgrestest"
	"github.com/seed-09a96375/belfry/redisconn"
	"github.com/seed-09a96375/belfry/source/redisstream"
)

const batch = 5000

// rows makes a batch of messages of 200 B.
func rows(from int) []archive.Entry {
	text := bytes.Repeat([]byte("x"), 190)
	now := time.Now()
	all := make([]archive.Entry, batch)
	for i := range all {
		n := from + i
		all[i] = archive.Entry{
			ID: fmt.Sprintf("%08x-7c1d-4a2b-9f3e-%012x", n*2654435761%(1<<32), n), Namespace: "/", Room: "room-17", Event: "chat",
			Args: fmt.Appendf(nil, `["%s"]`, text), User: "user-1234", Socket: "abcdefghijklmnopqrst", Time: now.Add(time.Duration(n) * time.Microsecond),
			Offset: "abcdefghij-123456",
		}
	}
	return all
}

const copyText = "COPY messages (id, time, namespace, room, event, args, sender, socket, log_offset) FROM STDIN"

// asText is what COPY reads if it is not told otherwise.
func asText(entries []archive.Entry) []byte {
	var b bytes.Buffer
	for _, e := range entries {
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			e.ID, e.Time.UTC().Format(time.RFC3339Nano), e.Namespace, e.Room, e.Event, e.Args, e.User, e.Socket, e.Offset)
	}
	return b.Bytes()
}

// BenchmarkAppend compares batches with a bare COPY of the same rows into the same
// table, made beforehand, and with batches whose rows are all there already. Servers flush what they
// write, as those in use do.
func BenchmarkAppend(b *testing.B) {
	server := postgrestest.Start(b, "fsync=on", "full_page_writes=on", "shared_buffers=512MB", "max_wal_size=4GB")
	ctx := context.Background()
	quiet := slog.New(slog.DiscardHandler)
	b.Run("copy", func(b *testing.B) {
		o := postgres.Options{URL: server.Database(b), Logger: quiet}
		warm(b, o)
		conn, err := pgx.Connect(ctx, o.URL)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = conn.Close(ctx) }()
		n := 0
		for b.Loop() {
			b.StopTimer()
			text := asText(rows(n))
			n += batch
			b.StartTimer()
			if _, err := conn.PgConn().CopyFrom(ctx, bytes.NewReader(text), copyText); err != nil {
				b.Fatal(err)
			}
		}
		report(b)
	})
	b.Run("append", func(b *testing.B) {
		o := postgres.Options{URL: server.Database(b), Logger: quiet}
		warm(b, o)
		s := open(b, o)
		measure(b, 1, func(entries []archive.Entry) error { return s.Append(ctx, entries) })
	})
	b.Run("again", func(b *testing.B) {
		o := postgres.Options{URL: server.Database(b), Logger: quiet}
		warm(b, o)
		s := open(b, o)
		measure(b, 0, func(entries []archive.Entry) error { return s.Append(ctx, entries) })
	})
}

// warm makes the tables.
func warm(b *testing.B, o postgres.Options) {
	if err := open(b, o).Append(context.Background(), rows(-2*batch)); err != nil {
		b.Fatal(err)
	}
}

// measure writes batches, each step batches after the one before.
func measure(b *testing.B, step int, write func([]archive.Entry) error) {
	n := 0
	for b.Loop() {
		b.StopTimer()
		entries := rows(n)
		n += step * batch
		b.StartTimer()
		if err := write(entries); err != nil {
			b.Fatal(err)
		}
	}
	report(b)
}

func report(b *testing.B) {
	b.ReportMetric(float64(batch)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkArchive is the whole way: from a Redis Stream that has waited into rows.
func BenchmarkArchive(b *testing.B) {
	o := &ordeal{redis: redistest.Start(b), postgres: postgrestest.Start(b, "fsync=on", "full_page_writes=on", "shared_buffers=512MB", "max_wal_size=4GB")}
	o.url = o.postgres.Database(b)
	quiet := slog.New(slog.DiscardHandler)
	store := open(b, postgres.Options{URL: o.url, Logger: quiet})
	client, err := redisconn.Options{URL: o.redis.URL()}.Open(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	source, err := redisstream.New(redisstream.Options{
		Client: client, Stream: stream, Group: "archive", Node: "bench", Field: "args", KeyField: "room", Batch: 1000, Logger: quiet,
	})
	if err != nil {
		b.Fatal(err)
	}
	const messages = 50_000
	n := 0
	for b.Loop() {
		b.StopTimer()
		o.produce(b.Context(), b, n, n+messages)
		n += messages
		b.StartTimer()
		archiveAll(b, source, store, quiet)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
}

// archiveAll archives until the source has nothing left.
func archiveAll(b *testing.B, source *redisstream.Source, store archive.Store, logger *slog.Logger) {
	a, err := archive.New(archive.Options{Source: source, Store: store, Logger: logger})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	for next := time.NewTicker(20 * time.Millisecond); ; <-next.C {
		if lag, err := source.Lag(ctx); err == nil && lag.Records == 0 && a.Stats().Rows > 0 {
			break
		}
	}
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}
