//go:build unix

package chaostest

import (
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// toxiproxy leaves the pump of a link that was cut while it had bytes to hand on.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, append(redistest.IgnoreDriver(),
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"))...)
}

// open returns a bus that is closed with the test.
func open(t testing.TB, o redis.Options) *redis.Bus {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	b, err := redis.New(t.Context(), o)
	check(t, err)
	t.Cleanup(b.Close)
	return b
}

func attach(t testing.TB, b *redis.Bus, id belfry.NodeID) (*redistest.Ledger, belfry.Link) {
	t.Helper()
	return redistest.Attach(t, b, id)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// hasty notices faults sooner than the defaults.
func hasty(url string, interest bool) redis.Options {
	return redis.Options{
		URL: url, Interest: interest, Timeout: 500 * time.Millisecond, ProbeTimeout: 1500 * time.Millisecond,
		Lease: 2 * time.Second, Spool: redis.Spool{Time: 15 * time.Second},
	}
}
