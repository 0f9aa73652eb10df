//go:build unix

package kafka

import (
	"context"
	"crypto/tls"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/kafkaconn"
)

// TestKilledMembers: processes are killed when the bus has published what they have
// sent, before they know. Nothing is lost, and with ids nothing is doubled.
func TestKilledMembers(t *testing.T) {
	b := bed.Broker(t)
	const n = 6000
	for _, isCareless := range []bool{false, true} {
		t.Run("careless "+strconv.FormatBool(isCareless), func(t *testing.T) {
			topic := b.Topic(t, 3)
			b.Produce(t, numbered(topic, n, 30)...)
			s := newStage(t, order{URL: "kafka://" + b.Addr(), Topic: topic, Careless: isCareless}, 500, 1500, 2500, 3500)
			for range 2 {
				s.enter()
			}
			if isCareless {
				// Records after all others tell when those that are not there yet never come.
				until(t, "all is committed", func() bool { return sum(b.Committed(t, topic, topic)) == n })
				last := numbered(topic, n+3, 30)[n:]
				for i, rec := range last {
					rec.Partition = int32(i)
				}
				client := b.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
				if err := client.ProduceSync(t.Context(), last...).FirstErr(); err != nil {
					t.Fatal(err)
				}
				until(t, "the last are published", func() bool { return s.bus.has(n, n+1, n+2) })
				if s.bus.verdict(n+3) == nil {
					t.Error("the checker finds nothing wrong with members that commit first")
				}
				return
			}
			until(t, "all are published and committed", func() bool {
				return s.bus.published() == n && sum(b.Committed(t, topic, topic)) == n
			})
			if err := s.bus.verdict(n); err != nil {
				t.Error(err)
			}
			if again := s.bus.again(); again < 4 {
				t.Errorf("%d records came again: the kills did not interrupt anything", again)
			} else {
				t.Logf("%d of %d records came again", again, n)
			}
		})
	}
}

// again counts the ids that came more than once.
func (l *ledger) again() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, times := range l.ids {
		if times > 1 {
			n++
		}
	}
	return n
}

// has reports whether numbers were published.
func (l *ledger) has(numbers ...int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !slices.ContainsFunc(numbers, func(n int) bool { return l.values[strconv.Itoa(n)] == 0 })
}

// TestMembersComeAndGo under load, in order: nothing is lost, nothing comes twice.
func TestMembersComeAndGo(t *testing.T) {
	b := bed.Broker(t)
	const n = 20_000
	run := func(t *testing.T, begin func(o Options, h handle) (stop func())) *ledger {
		topic := b.Topic(t, 6)
		b.Produce(t, numbered(topic, n, 100)...)
		bus, leave := newLedger(), make(chan struct{})
		slow := func(ctx context.Context, rec *belfry.Record) error {
			select { // members change while there is work
			case <-time.After(time.Millisecond):
			case <-leave:
			case <-ctx.Done():
				return ctx.Err()
			}
			return bus.handle(ctx, rec)
		}
		o := options(b, topic)
		grow := func(more int) {
			at := bus.published()
			until(t, "the members publish", func() bool { return bus.published() >= min(at+more, n) })
		}
		first := begin(o, slow)
		grow(300)
		second := begin(o, slow)
		grow(300)
		third := begin(o, slow)
		grow(300)
		first()
		grow(300)
		fourth := begin(o, slow)
		second()
		grow(300)
		close(leave)
		until(t, "all is committed", func() bool { return sum(b.Committed(t, topic, topic)) == n })
		third()
		fourth()
		return bus
	}
	t.Run("source", func(t *testing.T) {
		bus := run(t, func(o Options, h handle) func() { return start(t, o, h).stop })
		if err := bus.verdict(n); err != nil {
			t.Error(err)
		}
		t.Logf("%d of %d records came again", bus.again(), n)
	})
	t.Run("careless", func(t *testing.T) {
		bus := run(t, func(o Options, h handle) func() {
			return startWith(t, o, func(ctx context.Context, _ *Source) error { return careless(ctx, o, h) }).stop
		})
		if bus.verdict(n) == nil {
			t.Error("the checker finds nothing wrong with members that commit first")
		}
	})
}

// TestBrokerRestart: a broker that is killed and comes back costs nothing, and the
// source ends in order while it is away.
func TestBrokerRestart(t *testing.T) {
	b := bed.Broker(t)
	topic := b.Topic(t, 2)
	const n = 3000
	records := numbered(topic, n, 10)
	b.Produce(t, records[:n/2]...)
	bus, reached, release := newLedger(), make(chan struct{}), make(chan struct{})
	s := start(t, options(b, topic), func(ctx context.Context, rec *belfry.Record) error {
		if string(rec.Value) == "700" {
			select {
			case <-reached:
			default:
				close(reached)
				<-release
			}
		}
		return bus.handle(ctx, rec)
	})
	<-reached
	b.Kill()
	close(release)
	until(t, "commits fail", func() bool { return s.Stats().Fault != "" })
	if err := b.Run(); err != nil {
		t.Fatal(err, b.Log())
	}
	b.Produce(t, records[n/2:]...)
	until(t, "all are published and committed", func() bool {
		return bus.published() == n && sum(b.Committed(t, topic, topic)) == n
	})
	if err := bus.verdict(n); err != nil {
		t.Error(err)
	}
	b.Kill()
	s.stop()
	if err := b.Run(); err != nil {
		t.Fatal(err, b.Log())
	}
}

func TestSecure(t *testing.T) {
	b := bed.Broker(t)
	for _, mechanism := range []string{"plain", "scram-sha-256", "scram-sha-512"} {
		t.Run(mechanism, func(t *testing.T) {
			topic := b.Topic(t, 1)
			b.Produce(t, numbered(topic, 10, 1)...)
			o := options(b, topic)
			o.Kafka = kafkaconn.Options{
				URL: "kafkas://" + b.Secure.User + ":" + b.Secure.Password + "@" + b.Secure.Addr() + "?sasl=" + mechanism,
				TLS: &tls.Config{RootCAs: b.Secure.Roots, MinVersion: tls.VersionTLS12},
			}
			bus := newLedger()
			start(t, o, bus.handle)
			until(t, "all are published", func() bool { return bus.published() == 10 })
		})
	}
}
