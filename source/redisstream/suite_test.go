//go:build unix

package redisstream_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/redisconn"
	"github.com/seed-09a96375/belfry/source/redisstream"
	"github.com/seed-09a96375/belfry/source/sourcetest"
)

// TestMain runs this program as a node where childEnv asks for one.
func TestMain(m *testing.M) {
	if url := os.Getenv(childEnv); url != "" {
		os.Exit(child(url))
	}
	goleak.VerifyTestMain(m)
}

func connect(t testing.TB, s *redistest.Server) rueidis.Client {
	t.Helper()
	client, err := redisconn.Options{URL: s.URL()}.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func open(t testing.TB, o redisstream.Options) *redisstream.Source {
	t.Helper()
	if o.Lease == 0 {
		o.Lease = time.Second
	}
	o.Node, o.Field, o.KeyField, o.Backoff = "n", "v", "k", time.Millisecond
	s, err := redisstream.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func add(t testing.TB, client rueidis.Client, stream string, fields ...string) string {
	t.Helper()
	words := append([]string{"XADD", stream, "*"}, fields...)
	id, err := client.Do(t.Context(), client.B().Arbitrary(words...).Build()).ToString()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// dead returns a field of the dead letters.
func dead(t testing.TB, client rueidis.Client, stream, field string) (all []string) {
	t.Helper()
	list, err := client.Do(t.Context(), client.B().Xrange().Key(redisstream.Dead(stream)).Start("-").End("+").Build()).AsXRange()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		all = append(all, e.FieldValues[field])
	}
	return all
}

func TestSuite(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server)
	var streams atomic.Int32
	sourcetest.Run(t, func(t *testing.T) sourcetest.Place {
		stream := fmt.Sprint("S", streams.Add(1))
		return sourcetest.Place{
			Open: func(t testing.TB) belfry.Source { return open(t, redisstream.Options{Client: client, Stream: stream}) },
			Send: func(t testing.TB, s sourcetest.Sent) { add(t, client, stream, "v", s.Value, "k", s.Key) },
			Dead: func(t testing.TB) []string { return dead(t, client, stream, "dead:reason") },
		}
	})
}

// run reads until the returned function is called, or the test ends.
func run(t testing.TB, s *redisstream.Source, handle func(context.Context, *belfry.Record) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Run(ctx, handle); err != nil {
			t.Error(err)
		}
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

func noting(l *sourcetest.Ledger) func(context.Context, *belfry.Record) error {
	return func(_ context.Context, rec *belfry.Record) error {
		l.Done(rec)
		return nil
	}
}

func await(t testing.TB, l *sourcetest.Ledger, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	if l.Await(ctx, n); ctx.Err() != nil {
		t.Fatalf("not all of %d came", n)
	}
}

func containsText(err error, text string) bool { return strings.Contains(err.Error(), text) }
