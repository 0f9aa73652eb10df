//go:build unix

package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/kafkatest"
	"github.com/seed-09a96375/belfry/kafkaconn"
)

var bed kafkatest.Bed

func TestMain(m *testing.M) {
	if member() {
		return
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		bed.Close()
		os.Exit(code)
	}))
}

// patience is for a slow machine.
const patience = 60 * time.Second

// until waits for a condition.
func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// options are those of tests: nothing takes long.
func options(b *kafkatest.Broker, topic string) Options {
	return Options{
		Kafka: kafkaconn.Options{URL: "kafka://" + b.Addr()}, Topics: []string{topic}, Group: topic,
		DeadLetters: topic + ".dead", CreateTopics: true, CommitInterval: 50 * time.Millisecond, RetryMax: 100 * time.Millisecond,
		SessionTimeout: 10 * time.Second, StopTimeout: 5 * time.Second, Logger: slog.New(slog.DiscardHandler),
	}
}

type handle = func(context.Context, *belfry.Record) error

// running is a source that runs.
type running struct {
	*Source
	t    testing.TB
	end  context.CancelFunc
	done chan error
	once sync.Once
}

// start runs a source until the end of the test, or stop.
func start(t testing.TB, o Options, h handle) *running {
	t.Helper()
	return startWith(t, o, func(ctx context.Context, s *Source) error { return s.Run(ctx, h) })
}

func startWith(t testing.TB, o Options, f func(context.Context, *Source) error) *running {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Source: s, t: t, end: cancel, done: make(chan error, 1)}
	go func() { r.done <- f(ctx, s) }()
	t.Cleanup(r.stop)
	return r
}

// stop ends it in order.
func (r *running) stop() {
	r.t.Helper()
	r.once.Do(func() {
		r.end()
		select {
		case err := <-r.done:
			if err != nil {
				r.t.Errorf("run: %v", err)
			}
		case <-time.After(patience):
			r.t.Errorf("the source does not stop")
		}
	})
}

// numbered makes n records, each with a key of keys and its number as value.
func numbered(topic string, n, keys int) []*kgo.Record {
	all := make([]*kgo.Record, n)
	for i := range all {
		all[i] = &kgo.Record{Topic: topic, Key: fmt.Appendf(nil, "k%d", i%keys), Value: fmt.Appendf(nil, "%d", i)}
	}
	return all
}

// ledger is a bus that publishes each id once, and counts.
type ledger struct {
	mu     sync.Mutex
	ids    map[string]int // how often an id came
	values map[string]int // how often a value was published
	last   map[string]int // the last number of each key
	faults []string       // breaches of order
}

func newLedger() *ledger {
	return &ledger{ids: make(map[string]int), values: make(map[string]int), last: make(map[string]int)}
}

// publish has the contract of belfry.Link: the first of an id counts.
func (l *ledger) publish(id, key, value string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ids[id]++; l.ids[id] > 1 {
		return belfry.ErrDuplicate
	}
	l.values[value]++
	var n int
	_, _ = fmt.Sscan(value, &n)
	if last, seen := l.last[key]; seen && last >= n {
		l.faults = append(l.faults, fmt.Sprintf("key %s: %d after %d", key, n, last))
	}
	l.last[key] = n
	return nil
}

func (l *ledger) handle(_ context.Context, rec *belfry.Record) error {
	return l.publish(rec.ID, rec.Key, string(rec.Value))
}

func (l *ledger) published() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.values)
}

// verdict compares with the values 0 to n-1, each once, in order for each key.
func (l *ledger) verdict(n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	faults := l.faults
	for i := range n {
		if times := l.values[fmt.Sprint(i)]; times != 1 {
			faults = append(faults, fmt.Sprintf("%d was published %d times", i, times))
		}
	}
	if len(l.values) > n {
		faults = append(faults, fmt.Sprintf("%d values, produced were %d", len(l.values), n))
	}
	if len(faults) > 0 {
		return fmt.Errorf("%d faults: %s", len(faults), strings.Join(faults[:min(len(faults), 10)], "; "))
	}
	return nil
}

func sum(committed map[int32]int64) (n int64) {
	for _, at := range committed {
		n += at
	}
	return n
}
