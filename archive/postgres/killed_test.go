//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/archive/postgres"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/internal/postgrestest"
	"github.com/seed-09a96375/belfry/redisconn"
	"github.com/seed-09a96375/belfry/source/redisstream"
)

// The environment of a test that is run as an archiver to be killed.
const (
	childPostgres = "BELFRY_TEST_CHILD_POSTGRES"
	childRedis    = "BELFRY_TEST_CHILD_REDIS"
	childNode     = "BELFRY_TEST_CHILD_NODE"
	childDies     = "BELFRY_TEST_CHILD_DIES"  // after that many batches, before they are done with
	childFirst    = "BELFRY_TEST_CHILD_FIRST" // set: records are done with before they are rows
)

const stream = "MESSAGES"

// TestChild is not a test: it is an archiver in a process of its own.
func TestChild(t *testing.T) {
	if os.Getenv(childPostgres) == "" {
		t.Skip("this is the archiver that other tests kill")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	store := childStore(ctx, t, logger)
	defer store.Close()
	client, err := redisconn.Options{URL: os.Getenv(childRedis)}.Open(ctx)
	if ctx.Err() != nil {
		t.Skip("told to end before it began")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	source, err := redisstream.New(redisstream.Options{
		Client: client, Stream: stream, Group: "archive", Node: os.Getenv(childNode), KeyField: "room", Lease: time.Second, Batch: 500, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	o := archive.Options{Source: source, Store: store, RetryMax: 200 * time.Millisecond, Logger: logger}
	if n, err := strconv.ParseInt(os.Getenv(childDies), 10, 64); err == nil {
		o.Store = &mortal{Store: store, left: n}
	}
	if os.Getenv(childFirst) != "" {
		o.Source = hasty{source}
	}
	a, err := archive.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

// childStore opens the store; the database may be away just now.
func childStore(ctx context.Context, t *testing.T, logger *slog.Logger) *postgres.Store {
	o := postgres.Options{URL: os.Getenv(childPostgres), Timeout: 5 * time.Second, Logger: logger}
	for again := time.NewTicker(50 * time.Millisecond); ; {
		s, err := postgres.Open(ctx, o)
		if err == nil {
			return s
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Skip("told to end before it began")
		}
	}
}

// mortal dies when batches are committed, and before anybody knows.
type mortal struct {
	archive.Store
	left int64
}

func (m *mortal) Append(ctx context.Context, entries []archive.Entry) error {
	err := m.Store.Append(ctx, entries)
	if err == nil && atomic.AddInt64(&m.left, -1) == 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		<-ctx.Done()
	}
	return err
}

// hasty is a source whose records are done with before they are handled.
type hasty struct{ *redisstream.Source }

func (h hasty) RunBatches(ctx context.Context, most belfry.BatchLimit, handle func(context.Context, []*belfry.Record) error) error {
	return h.Source.RunBatches(ctx, most, func(ctx context.Context, records []*belfry.Record) error {
		go func() { _ = handle(ctx, records) }()
		return nil
	})
}

// ordeal is a stream, a database, and archivers that die.
type ordeal struct {
	redis    *redistest.Server
	postgres *postgrestest.Server
	url      string // of the database
	hasty    bool
}

// archiver runs archivers one after the other until ctx ends, each until it dies.
func (o *ordeal) archiver(ctx context.Context, t *testing.T, slot string) {
	for n := 0; ctx.Err() == nil; n++ {
		cmd := exec.Command(os.Args[0], "-test.run=^TestChild$") //nolint:gosec // itself
		cmd.Env = append(os.Environ(), childPostgres+"="+o.url, childRedis+"="+o.redis.URL(), childNode+"="+slot+strconv.Itoa(n))
		if n < 4 {
			cmd.Env = append(cmd.Env, childDies+"="+strconv.Itoa(2+n))
		}
		if o.hasty {
			cmd.Env = append(cmd.Env, childFirst+"=1")
		}
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Error(err)
			return
		}
		stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
		err := cmd.Wait()
		stop()
		if err != nil && !killed(err) && !(ctx.Err() != nil && told(err)) {
			t.Errorf("archiver %s%d: %v\n%s", slot, n, err, out.String())
			return
		}
	}
}

// killed tells whether a process ended as mortal does.
func killed(err error) bool { return signalled(err) == syscall.SIGKILL }

// told tells whether a process was asked to end before it listened to that.
func told(err error) bool { return signalled(err) == syscall.SIGTERM }

func signalled(err error) syscall.Signal {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.Sys().(syscall.WaitStatus).Signal()
	}
	return -1
}

// produce adds messages to the stream, some of them twice, as a producer does that did
// not hear of its success.
func (o *ordeal) produce(ctx context.Context, t testing.TB, from, to int) {
	client, err := redisconn.Options{URL: o.redis.URL()}.Open(ctx)
	if err != nil {
		t.Error(err)
		return
	}
	defer client.Close()
	at := time.Now().UTC().Truncate(time.Microsecond)
	var commands rueidis.Commands
	flush := func() {
		for _, r := range client.DoMulti(ctx, commands...) {
			if err := r.Error(); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
		commands = nil
	}
	for n := from; n < to; n++ {
		times := 1
		if n%50 == 0 {
			times = 2
		}
		for range times {
			commands = append(commands, client.B().Xadd().Key(stream).Id("*").FieldValue().
				FieldValue("id", fmt.Sprintf("m%06d", n)).FieldValue("event", "chat").FieldValue("room", fmt.Sprintf("room-%d", n%7)).
				FieldValue("args", fmt.Sprintf(`[{"text":"message %d"}]`, n)).
				FieldValue("time", at.Add(time.Duration(n)*time.Millisecond).Format(time.RFC3339Nano)).Build())
		}
		if len(commands) >= 200 {
			flush()
		}
	}
	flush()
}

// outcome is how many messages are rows, in how many rows, and how many are not done
// with in the stream.
type outcome struct{ ids, rows, left int }

// outcome looks at the stream first: what is done with there is a row by then.
func (o *ordeal) outcome(ctx context.Context, t *testing.T) outcome {
	got := outcome{left: o.left(ctx, t)}
	conn, err := pgx.Connect(ctx, o.url)
	if err != nil {
		return got // the database is away
	}
	defer func() { _ = conn.Close(ctx) }()
	_ = conn.QueryRow(ctx, "SELECT count(DISTINCT id), count(*) FROM messages").Scan(&got.ids, &got.rows) // or it is away by now
	return got
}

func (o *ordeal) left(ctx context.Context, t *testing.T) int {
	client, err := redisconn.Options{URL: o.redis.URL()}.Open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	source, err := redisstream.New(redisstream.Options{Client: client, Stream: stream, Group: "archive", Node: "watcher"})
	if err != nil {
		t.Fatal(err)
	}
	lag, err := source.Lag(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return int(lag.Records)
}

// suffer lets messages be archived while archivers and the database are killed, until
// nothing is left in the stream.
func (o *ordeal) suffer(t *testing.T, messages int) outcome {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var archivers, producer sync.WaitGroup
	ended, end := context.WithCancel(ctx)
	defer func() { // also after a Fatal
		cancel()
		producer.Wait()
		archivers.Wait()
	}()
	producer.Go(func() { o.produce(ctx, t, 0, messages/2) })
	for _, slot := range []string{"a", "b"} {
		archivers.Go(func() { o.archiver(ended, t, slot) })
	}
	o.await(ctx, t, func(got outcome) bool { return got.ids > messages/20 })
	o.postgres.Kill()
	producer.Go(func() { o.produce(ctx, t, messages/2, messages) })
	producer.Wait()
	o.postgres.Run(t)
	o.await(ctx, t, func(got outcome) bool { return got.ids > messages/2 || got.left == 0 })
	o.postgres.Stop()
	o.postgres.Run(t)
	got := o.await(ctx, t, func(got outcome) bool { return got.ids > 0 && got.left == 0 })
	end()
	archivers.Wait()
	return got
}

func (o *ordeal) await(ctx context.Context, t *testing.T, done func(outcome) bool) outcome {
	t.Helper()
	for next := time.NewTicker(50 * time.Millisecond); ; {
		got := o.outcome(ctx, t)
		if done(got) {
			return got
		}
		select {
		case <-next.C:
		case <-ctx.Done():
			t.Fatalf("it takes too long: %+v", got)
		}
	}
}

// TestEachMessageIsOneRow kills archivers, of which two take turns, between the commit
// of a batch and the acknowledgement of its records, and the database in the midst.
func TestEachMessageIsOneRow(t *testing.T) {
	o := &ordeal{redis: redistest.Start(t), postgres: postgrestest.Start(t)}
	o.url = o.postgres.Database(t)
	const messages = 6000
	if got := o.suffer(t, messages); got.ids != messages || got.rows != messages {
		t.Errorf("of %d messages %d are rows, in %d rows", messages, got.ids, got.rows)
	}
}

// TestOneRowControl breaks what the promise rests on: the checker has to see it.
func TestOneRowControl(t *testing.T) {
	const messages = 6000
	t.Run("rows without a name", func(t *testing.T) {
		o := &ordeal{redis: redistest.Start(t), postgres: postgrestest.Start(t)}
		o.url = o.postgres.Database(t)
		s := open(t, postgres.Options{URL: o.url})
		if err := s.Tend(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.Close()
		index := "messages_" + time.Now().UTC().Format("200601") + "_id"
		o.postgres.Exec(t, o.url, "DROP INDEX "+index)
		if got := o.suffer(t, messages); got.rows <= messages {
			t.Errorf("%+v: nothing was doubled", got)
		}
	})
	t.Run("done with before it is a row", func(t *testing.T) {
		o := &ordeal{redis: redistest.Start(t), postgres: postgrestest.Start(t), hasty: true}
		o.url = o.postgres.Database(t)
		if got := o.suffer(t, messages); got.ids >= messages {
			t.Errorf("%+v: nothing was lost", got)
		}
	})
}
