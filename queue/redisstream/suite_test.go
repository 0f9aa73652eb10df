//go:build unix

package redisstream

import (
	"log/slog"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/queue/queuetest"
	"github.com/seed-09a96375/belfry/redisconn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, redistest.IgnoreDriver()...) }

// open returns a queue that is closed with the test.
func open(t testing.TB, o Options) *Queue {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	if o.Name == "" && o.Key == "" {
		o.Name = "orders"
	}
	q, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	return q
}

func at(s interface{ URL() string }) redisconn.Options { return redisconn.Options{URL: s.URL()} }

func TestSuite(t *testing.T) {
	server := redistest.Start(t)
	queuetest.Run(t, func(t *testing.T) queuetest.Queue {
		server.Must("FLUSHALL")
		return open(t, Options{Redis: at(server), Groups: []string{"g"}})
	})
}
