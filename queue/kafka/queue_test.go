//go:build unix

package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/kafkatest"
	"github.com/seed-09a96375/belfry/kafkaconn"
)

var bed kafkatest.Bed

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		bed.Close()
		os.Exit(code)
	}))
}

// patience is for a slow machine.
const patience = 60 * time.Second

func open(t testing.TB, b *kafkatest.Broker, topic string, change ...func(*Options)) *Queue {
	t.Helper()
	o := Options{
		Kafka: kafkaconn.Options{URL: "kafka://" + b.Addr()}, Topic: topic,
		Timeout: 30 * time.Second, Logger: slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&o)
	}
	q, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := q.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return q
}

// soon is Append that does not wait for long.
func soon(t testing.TB, q *Queue, e *belfry.Event) error {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	return q.Append(ctx, e)
}

func event(id, key string) *belfry.Event {
	return &belfry.Event{ID: id, Namespace: "/", Name: "e", Key: key, Args: json.RawMessage(`[1]`)}
}

func TestRecords(t *testing.T) {
	b := bed.Broker(t)
	topic := b.Topic(t, 1)
	q := open(t, b, topic)
	at := time.Date(2024, 2, 3, 4, 5, 6, 7_000_000, time.FixedZone("", 3600))
	for _, err := range []error{
		q.Append(t.Context(), &belfry.Event{
			ID: "1", Namespace: "/shop", Name: "order", Args: json.RawMessage(`[{"a":"<&>"},2]`), Socket: "s", User: "ada",
			Key: "k", Node: "n", Time: at, Room: "r", Offset: "7",
		}),
		q.Append(t.Context(), &belfry.Event{ID: "2", Name: "bare", Time: at}),
		q.Append(t.Context(), &belfry.Event{ID: "3", Name: "all", Room: "a", Rooms: []belfry.Room{"a", "b"}, Key: "a", Time: at}),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	want := []string{
		`{"id":"1","namespace":"/shop","room":"r","offset":"7","event":"order","args":[{"a":"<&>"},2],"socket":"s","user":"ada","key":"k","node":"n","time":"2024-02-03T03:05:06.007Z"} k id=1 event=order namespace=/shop user=ada`,
		`{"id":"2","event":"bare","time":"2024-02-03T03:05:06.007Z"}  id=2 event=bare`,
		`{"id":"3","room":"a","rooms":["a","b"],"event":"all","key":"a","time":"2024-02-03T03:05:06.007Z"} a id=3 event=all`,
	}
	for i, rec := range b.Read(t, topic, len(want)) {
		got := string(rec.Value)
		got += " " + string(rec.Key)
		for _, h := range rec.Headers {
			got += fmt.Sprintf(" %s=%s", h.Key, h.Value)
		}
		if got != want[i] {
			t.Errorf("record %d is\n%s\nwant\n%s", i, got, want[i])
		}
	}
}

func TestRefusals(t *testing.T) {
	b := bed.Broker(t)
	q := open(t, b, b.Topic(t, 1))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for what, c := range map[string]struct {
		err  error
		want string
	}{
		"no id":         {q.Append(t.Context(), event("", "")), "without an ID"},
		"a long id":     {q.Append(t.Context(), event(strings.Repeat("x", belfry.MaxID+1), "")), "has 129 bytes"},
		"bad arguments": {q.Append(t.Context(), &belfry.Event{ID: "a", Args: json.RawMessage(`[`)}), `event "a"`},
		"an end":        {q.Append(ended, event("a", "")), "context canceled"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) || errors.Is(c.err, belfry.ErrUnavailable) {
			t.Errorf("%s: %v, want %q", what, c.err, c.want)
		}
	}
	large := event("large", "")
	large.Args = json.RawMessage(`["` + strings.Repeat("x", 2<<20) + `"]`)
	if err := q.Append(t.Context(), large); !errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, belfry.ErrUnavailable) {
		t.Errorf("a large event: %v", err)
	}
}

// TestDuplicates: of many who append the same, one does, the others learn of it.
func TestDuplicates(t *testing.T) {
	b := bed.Broker(t)
	topic := b.Topic(t, 2)
	q := open(t, b, topic)
	const ids, each = 20, 10
	var stored, duplicates atomic.Int32
	var all sync.WaitGroup
	for i := range ids * each {
		all.Go(func() {
			switch err := q.Append(t.Context(), event(fmt.Sprint(i%ids), "k")); {
			case err == nil:
				stored.Add(1)
			case errors.Is(err, belfry.ErrDuplicate):
				duplicates.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if stored.Load() != ids || duplicates.Load() != ids*(each-1) {
		t.Errorf("%d stored, %d duplicates", stored.Load(), duplicates.Load())
	}
	if got := len(b.Read(t, topic, ids)); got != ids {
		t.Errorf("%d records", got)
	}
	if s := q.Stats(); s.Appended != ids || s.Duplicates != ids*(each-1) || s.Failed != 0 || s.Waiting != 0 || s.Bytes != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestOrder(t *testing.T) {
	b := bed.Broker(t)
	topic := b.Topic(t, 3)
	q := open(t, b, topic)
	const keys, each = 10, 50
	var all sync.WaitGroup
	for k := range keys {
		all.Go(func() {
			for i := range each {
				if err := q.Append(t.Context(), event(fmt.Sprintf("%d-%d", k, i), fmt.Sprint(k))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	next := make(map[string]int)
	for _, rec := range b.Read(t, topic, keys*each) {
		k := string(rec.Key)
		if want := fmt.Sprintf("%s-%d", k, next[k]); string(rec.Headers[0].Value) != want {
			t.Fatalf("%s, want %s", rec.Headers[0].Value, want)
		}
		next[k]++
	}
}

func TestMissingTopic(t *testing.T) {
	b := bed.Broker(t)
	topic := b.Topic(t, 1) + "-late"
	q := open(t, b, topic)
	if err := q.Append(t.Context(), event("1", "")); !errors.Is(err, belfry.ErrUnavailable) {
		t.Errorf("append to a topic that is missing: %v", err)
	}
	creator := open(t, b, topic, func(o *Options) { o.CreateTopic = true })
	for end := time.Now().Add(patience); ; {
		err := creator.Append(t.Context(), event("1", ""))
		if err == nil {
			break
		}
		if !errors.Is(err, belfry.ErrUnavailable) || time.Now().After(end) {
			t.Fatal(err)
		}
	}
	b.Read(t, topic, 1)
}

// TestBrokerIsKilled under load: who repeats what has failed loses nothing, and
// nothing is there twice.
func TestBrokerIsKilled(t *testing.T) {
	b := bed.Broker(t)
	topic := b.Topic(t, 2)
	q := open(t, b, topic)
	const workers, each = 20, 100
	var appended, failed atomic.Int32
	half, killed := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := range each {
				if i == each-10 {
					<-killed // something has to fail
				}
				id := fmt.Sprintf("%d-%d", w, i)
				err := soon(t, q, event(id, fmt.Sprint(w)))
				if err != nil {
					failed.Add(1)
				}
				for err != nil && !errors.Is(err, belfry.ErrDuplicate) {
					if !errors.Is(err, belfry.ErrUnavailable) && !errors.Is(err, belfry.ErrInDoubt) {
						t.Errorf("append: %v", err)
					}
					err = soon(t, q, event(id, fmt.Sprint(w)))
				}
				if appended.Add(1) == workers*each/2 {
					close(half)
				}
			}
		})
	}
	<-half
	b.Kill()
	close(killed)
	if err := b.Run(); err != nil {
		t.Fatal(err, b.Log())
	}
	all.Wait()
	if failed.Load() == 0 {
		t.Fatal("no first try has failed: nothing was interrupted")
	}
	times := make(map[string]int)
	records := b.Read(t, topic, workers*each)
	for _, rec := range records {
		times[string(rec.Headers[0].Value)]++
	}
	if len(times) != workers*each || len(records) != workers*each {
		t.Errorf("%d records with %d ids are there, want %d", len(records), len(times), workers*each)
	}
	t.Logf("%d of %d first tries failed", failed.Load(), workers*each)
}

// TestBrokerAway: Append ends in time, and does not say more than is known.
func TestBrokerAway(t *testing.T) {
	b := bed.Broker(t)
	topic := b.Topic(t, 1)
	q := open(t, b, topic, func(o *Options) { o.Timeout = time.Second })
	untilAppended(t, q, event("0", "k"))
	b.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := q.Append(ctx, event("1", "k")); !errors.Is(err, belfry.ErrInDoubt) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("append with a context that ends: %v", err)
	}
	if err := q.Append(t.Context(), event("2", "k")); !errors.Is(err, belfry.ErrInDoubt) {
		t.Errorf("append: %v", err)
	}
	if err := b.Run(); err != nil {
		t.Fatal(err, b.Log())
	}
	for _, id := range []string{"1", "2"} {
		untilAppended(t, q, event(id, "k"))
	}
	var ids []string
	for _, rec := range b.Read(t, topic, 3) {
		ids = append(ids, string(rec.Headers[0].Value))
	}
	if fmt.Sprint(ids) != "[0 1 2]" {
		t.Errorf("records %v", ids)
	}
}

// untilAppended repeats what may have been lost, or was too slow.
func untilAppended(t testing.TB, q *Queue, e *belfry.Event) {
	t.Helper()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if err = q.Append(t.Context(), e); err == nil || errors.Is(err, belfry.ErrDuplicate) {
			return
		}
	}
	t.Fatal(err)
}

// BenchmarkAppend has 200 clients that wait for their acks.
func BenchmarkAppend(b *testing.B) {
	broker := bed.Broker(b)
	q := open(b, broker, broker.Topic(b, 4))
	b.ReportAllocs()
	b.ResetTimer()
	var next atomic.Int64
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := q.Append(b.Context(), event(fmt.Sprint(i), fmt.Sprint("k", i%100))); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
}
