//go:build unix

package redischannel_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/redisconn"
	"github.com/seed-09a96375/belfry/source/redischannel"
	"github.com/seed-09a96375/belfry/source/sourcetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func connect(t testing.TB, s *redistest.Server) rueidis.Client {
	t.Helper()
	client, err := redisconn.Options{URL: s.URL()}.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func open(t testing.TB, client rueidis.Client, channel string) *redischannel.Source {
	t.Helper()
	s, err := redischannel.New(redischannel.Options{Client: client, Channel: channel, Node: "n", Lease: 5 * time.Second, Backoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ready waits until one node subscribes, and no more.
func ready(t testing.TB, server *redistest.Server, channel string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if subscribers(t, server, channel) == 1 {
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	t.Fatal("nobody subscribes")
}

func subscribers(t testing.TB, server *redistest.Server, channel string) (n int) {
	t.Helper()
	// The script returns a number, which Ask gives as ":1".
	_, _ = fmt.Sscanf(server.Must("EVAL", "return redis.call('PUBSUB','NUMSUB',KEYS[1])[2]", "1", channel), ":%d", &n)
	return n
}

// keyed is a source whose records have the key in their value: channels have none.
type keyed struct{ *redischannel.Source }

func (k keyed) Run(ctx context.Context, handle func(context.Context, *belfry.Record) error) error {
	return k.Source.Run(ctx, func(ctx context.Context, rec *belfry.Record) error { return handle(ctx, withKey(rec)) })
}

func (k keyed) RunBatches(ctx context.Context, most belfry.BatchLimit, handle func(context.Context, []*belfry.Record) error) error {
	return k.Source.RunBatches(ctx, most, func(ctx context.Context, batch []*belfry.Record) error {
		all := make([]*belfry.Record, len(batch))
		for i, rec := range batch {
			all[i] = withKey(rec)
		}
		return handle(ctx, all)
	})
}

func withKey(rec *belfry.Record) *belfry.Record {
	key, value, _ := strings.Cut(string(rec.Value), "=")
	return &belfry.Record{Key: key, Value: []byte(value)}
}

func TestSuite(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server)
	var channels atomic.Int32
	sourcetest.Run(t, func(t *testing.T) sourcetest.Place {
		channel := fmt.Sprint("C", channels.Add(1))
		return sourcetest.Place{
			Open:  func(t testing.TB) belfry.Source { return keyed{open(t, client, channel)} },
			Send:  func(_ testing.TB, s sourcetest.Sent) { server.Must("PUBLISH", channel, s.Key+"="+s.Value) },
			Ready: func(t testing.TB) { ready(t, server, channel) },
			Dead:  func(t testing.TB) []string { return dead(t, client, channel, "dead:reason") },
		}
	})
}

func dead(t testing.TB, client rueidis.Client, channel, field string) (all []string) {
	t.Helper()
	list, err := client.Do(t.Context(), client.B().Xrange().Key(redischannel.Dead(channel)).Start("-").End("+").Build()).AsXRange()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		all = append(all, e.FieldValues[field])
	}
	return all
}

func TestItComesBackAfterRedis(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server)
	s := open(t, client, "C")
	got := make(chan *belfry.Record, 10)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- s.Run(ctx, func(_ context.Context, rec *belfry.Record) error {
			got <- rec
			return nil
		})
	}()
	ready(t, server, "C")
	server.Kill()
	server.Run()
	ready(t, server, "C")
	for server.Must("PUBLISH", "C", "hi") == ":0" { // it has lost its lease again: a new term comes
		ready(t, server, "C")
	}
	if rec := <-got; string(rec.Value) != "hi" || rec.Meta["channel"] != "C" || rec.Time.IsZero() || rec.ID != "" {
		t.Errorf("record is %+v", rec)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if server.Must("EXISTS", "{C}:channel-lease:belfry") != ":0" {
		t.Error("the lease was not given back")
	}
}

func TestOptions(t *testing.T) {
	err := redischannel.Options{Lease: time.Millisecond, Queue: -1}.Validate()
	for _, want := range []string{"Options.Client is nil", "Options.Channel is empty", "Options.Node is empty", "Options.Lease is 1ms", "Options.Queue is -1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q in it", err, want)
		}
	}
}
