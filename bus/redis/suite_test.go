//go:build unix

package redis

import (
	"context"
	"log/slog"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/bustest"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, redistest.IgnoreDriver()...) }

// open returns a bus that is closed with the test.
func open(t testing.TB, o Options) *Bus {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	b, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// TestSuite runs with a bus, and so connections, for each node.
func TestSuite(t *testing.T) {
	server := redistest.Start(t)
	bustest.Run(t, func(t *testing.T) bustest.Factory {
		server.Must("FLUSHALL")
		o := Options{URL: server.URL(), Log: Log{MaxMessages: 200_000}}
		buses := []*Bus{open(t, o), open(t, o), open(t, o)}
		return bustest.Factory{
			Bus:   func(i int) belfry.Bus { return buses[i%len(buses)] },
			Keeps: true, Outlives: true, Addresses: true, Batches: true,
			Trim:    func(context.Context) error { server.Must("XTRIM", "belfry:{0}:log", "MAXLEN", "0"); return nil },
			Foreign: belfry.Offset("0123abcd.mi3k2x00-1"),
		}
	})
}
