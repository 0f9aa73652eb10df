//go:build unix

package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry"
)

func TestEachRecordOnceInOrder(t *testing.T) {
	b := bed.Broker(t)
	for _, lanes := range []int{1, 4} {
		t.Run(fmt.Sprint(lanes, " lanes"), func(t *testing.T) {
			const n = 5000
			topic := b.Topic(t, 3)
			b.Produce(t, numbered(topic, n, 20)...)
			o := options(b, topic)
			o.Lanes = lanes
			bus := newLedger()
			s := start(t, o, bus.handle)
			until(t, "all are published", func() bool { return bus.published() == n })
			s.stop()
			if err := bus.verdict(n); err != nil {
				t.Error(err)
			}
			if got := sum(b.Committed(t, topic, topic)); got != n {
				t.Errorf("committed %d of %d", got, n)
			}
			lag, err := s.Lag(t.Context())
			if err != nil || lag != (belfry.Lag{}) {
				t.Errorf("lag %+v, %v", lag, err)
			}
		})
	}
}

func TestRecord(t *testing.T) {
	b := bed.Broker(t)
	topic := b.Topic(t, 1)
	at := time.UnixMilli(1_700_000_000_123)
	b.Produce(t, &kgo.Record{
		Topic: topic, Key: []byte("k"), Value: []byte("v"), Timestamp: at,
		Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("1")}, {Key: "h", Value: []byte("2")}},
	}, &kgo.Record{Topic: topic})
	got := make(chan *belfry.Record, 2)
	start(t, options(b, topic), func(_ context.Context, rec *belfry.Record) error {
		got <- rec
		return nil
	})
	first, second := <-got, <-got
	if first.ID != topic+"/0/0" || first.Key != "k" || string(first.Value) != "v" || !first.Time.Equal(at) ||
		fmt.Sprint(first.Meta) != fmt.Sprint(map[string]string{"h": "2", MetaTopic: topic, MetaPartition: "0"}) {
		t.Errorf("the first is %+v", first)
	}
	if second.ID != topic+"/0/1" || second.Key != "" || second.Value != nil || second.Meta[MetaTopic] != topic {
		t.Errorf("the second is %+v", second)
	}
}

// TestCommitWaitsForHandle: no offset is committed before its record is done.
func TestCommitWaitsForHandle(t *testing.T) {
	b := bed.Broker(t)
	topic := b.Topic(t, 1)
	b.Produce(t, numbered(topic, 10, 1)...)
	reached, release := make(chan struct{}), make(chan struct{})
	s := start(t, options(b, topic), func(_ context.Context, rec *belfry.Record) error {
		if string(rec.Value) == "5" {
			close(reached)
			<-release
		}
		return nil
	})
	<-reached
	until(t, "what is done is committed", func() bool { return b.Committed(t, topic, topic)[0] == 5 })
	for range 3 { // commits go on, and stay there
		n := s.Stats().Commits
		if at := b.Committed(t, topic, topic)[0]; at != 5 {
			t.Fatalf("committed %d after %d commits, while the record at 5 is handled", at, n)
		}
		<-time.After(60 * time.Millisecond)
	}
	if lag, err := s.Lag(t.Context()); err != nil || lag.Records != 5 || lag.Age <= 0 {
		t.Errorf("lag %+v, %v", lag, err)
	}
	close(release)
	until(t, "the rest is committed", func() bool { return b.Committed(t, topic, topic)[0] == 10 })
}

// TestFailuresAreTriedAgain in place: nothing overtakes what has failed.
func TestFailuresAreTriedAgain(t *testing.T) {
	b := bed.Broker(t)
	topic := b.Topic(t, 1)
	const n = 50
	b.Produce(t, numbered(topic, n, 1)...)
	bus, tries := newLedger(), 0
	s := start(t, options(b, topic), func(ctx context.Context, rec *belfry.Record) error {
		if string(rec.Value) == "7" && tries < 5 {
			tries++
			return belfry.ErrUnavailable
		}
		return bus.handle(ctx, rec)
	})
	until(t, "all are published", func() bool { return bus.published() == n })
	if err := bus.verdict(n); err != nil {
		t.Error(err)
	}
	if stats := s.Stats(); stats.Retries != 5 || !strings.Contains(stats.Fault, belfry.ErrUnavailable.Error()) {
		t.Errorf("stats %+v", stats)
	}
}

func TestPoison(t *testing.T) {
	b := bed.Broker(t)
	topic := b.Topic(t, 1)
	all := numbered(topic, 6, 1)
	all[2].Headers = []kgo.RecordHeader{{Key: "own", Value: []byte("header")}}
	all[2].Timestamp = time.UnixMilli(1_700_000_000_000)
	b.Produce(t, all...)
	bus := newLedger()
	s := start(t, options(b, topic), func(ctx context.Context, rec *belfry.Record) error {
		switch string(rec.Value) {
		case "2":
			return fmt.Errorf("route: %w", &belfry.PoisonError{Reason: errors.New("no field text")})
		case "4":
			panic("handler")
		}
		return bus.handle(ctx, rec)
	})
	until(t, "consumption goes on", func() bool { return b.Committed(t, topic, topic)[0] == 6 })
	if bus.published() != 4 || s.Stats().Poisoned != 2 {
		t.Errorf("published %d, stats %+v", bus.published(), s.Stats())
	}
	for _, letter := range b.Read(t, topic+".dead", 2) {
		h := make(map[string]string)
		for _, header := range letter.Headers {
			h[header.Key] = string(header.Value)
		}
		if string(letter.Key) != "k0" || h[HeaderTopic] != topic || h[HeaderPartition] != "0" || h[HeaderGroup] != topic {
			t.Errorf("letter %s with %v", letter.Value, h)
		}
		switch string(letter.Value) {
		case "2":
			if h["own"] != "header" || h[HeaderReason] != "no field text" || h[HeaderOffset] != "2" || h[HeaderTime] != "2023-11-14T22:13:20Z" {
				t.Errorf("letter of 2 with %v", h)
			}
		case "4":
			if !strings.HasPrefix(h[HeaderReason], "panic: handler") || h[HeaderOffset] != "4" {
				t.Errorf("letter of 4 with %v", h)
			}
		default:
			t.Errorf("letter %s", letter.Value)
		}
	}
}

// TestPoisonWaitsForItsTopic: what cannot be put aside is neither skipped nor
// handled again.
func TestPoisonWaitsForItsTopic(t *testing.T) {
	b := bed.Broker(t)
	topic := b.Topic(t, 1)
	b.Produce(t, numbered(topic, 3, 1)...)
	o := options(b, topic)
	o.CreateTopics, o.DeadLetters = false, ""
	var calls atomic.Int32
	s := start(t, o, func(_ context.Context, rec *belfry.Record) error {
		if string(rec.Value) != "1" {
			return nil
		}
		calls.Add(1)
		return &belfry.PoisonError{Reason: errors.New("poison")}
	})
	until(t, "it is tried again", func() bool { return s.Stats().Retries >= 1 })
	if stats := s.Stats(); len(stats.Missing) != 1 || stats.Missing[0] != topic+".dead" ||
		!strings.Contains(stats.Partitions[0].Fault, topic+".dead") {
		t.Errorf("stats %+v", stats)
	}
	if at := b.Committed(t, topic, topic)[0]; at > 1 {
		t.Errorf("committed %d", at)
	}
	b.Create(t, topic+".dead", 1)
	until(t, "all are done", func() bool { return b.Committed(t, topic, topic)[0] == 3 })
	if calls.Load() != 1 {
		t.Errorf("poison was handled %d times", calls.Load())
	}
}

// TestMissingTopicIsWaitedFor: consumption begins once it is there.
func TestMissingTopicIsWaitedFor(t *testing.T) {
	b := bed.Broker(t)
	topic := b.Topic(t, 1) + "-late"
	o := options(b, topic)
	o.CreateTopics = false
	bus := newLedger()
	s := start(t, o, bus.handle)
	until(t, "it is named", func() bool { return len(s.Stats().Missing) == 2 })
	b.Create(t, topic, 2)
	b.Create(t, topic+".dead", 1)
	b.Produce(t, numbered(topic, 10, 3)...)
	until(t, "all are published", func() bool { return bus.published() == 10 })
}

// TestBackPressure: a bus that is away costs no more memory than the options say,
// and other partitions go on.
func TestBackPressure(t *testing.T) {
	b := bed.Broker(t)
	topic := b.Topic(t, 2)
	const n, each = 4000, 2 << 10
	var all []*kgo.Record
	for i := range n {
		all = append(all, &kgo.Record{Topic: topic, Partition: int32(i % 2), Key: []byte{byte('0' + i%2)}, Value: fmt.Appendf(nil, "%-*d", each, i)})
	}
	client := b.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err := client.ProduceSync(t.Context(), all...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	o := options(b, topic)
	o.MaxRecords, o.MaxBytes = 100, 256<<10
	bus, away := newLedger(), make(chan struct{})
	s := start(t, o, func(ctx context.Context, rec *belfry.Record) error {
		if rec.Key == "0" {
			select {
			case <-away:
			default:
				return belfry.ErrUnavailable
			}
		}
		return bus.publish(rec.ID, rec.Key, strings.TrimSpace(string(rec.Value)))
	})
	until(t, "the other partition is published", func() bool { return bus.published() == n/2 })
	until(t, "the partition is paused", func() bool { return s.Stats().Partitions[0].Paused })
	// A poll brings a quarter of MaxRecords at most.
	if p := s.Stats().Partitions[0]; p.Records == 0 || p.Records > 2*o.MaxRecords || p.Bytes > 2*o.MaxBytes {
		t.Errorf("waiting: %+v", p)
	}
	close(away)
	until(t, "all are published", func() bool { return bus.published() == n })
	if err := bus.verdict(n); err != nil {
		t.Error(err)
	}
}

// TestBatches: what a handler gets at once is in order, bounded, and done as it says.
func TestBatches(t *testing.T) {
	b := bed.Broker(t)
	topic := b.Topic(t, 2)
	const n = 1000
	b.Produce(t, numbered(topic, n, 10)...)
	bus := newLedger()
	var largest, tries atomic.Int64
	s := startWith(t, options(b, topic), func(ctx context.Context, s *Source) error {
		return s.RunBatches(ctx, belfry.BatchLimit{Records: 100}, func(ctx context.Context, all []*belfry.Record) error {
			if tries.Add(1) <= 3 {
				return belfry.ErrUnavailable
			}
			largest.Store(max(largest.Load(), int64(len(all))))
			poison := make(map[int]error)
			for i, rec := range all {
				if string(rec.Value) == "500" || string(rec.Value) == "501" {
					poison[i] = errors.New("bad")
				} else if err := bus.handle(ctx, rec); err != nil {
					return err
				}
			}
			if len(poison) > 0 {
				return &belfry.PoisonBatchError{Reasons: poison}
			}
			return nil
		})
	})
	until(t, "all are done", func() bool { return sum(b.Committed(t, topic, topic)) == n })
	if bus.published() != n-2 || s.Stats().Poisoned != 2 || len(bus.faults) > 0 {
		t.Errorf("published %d, faults %v, stats %+v", bus.published(), bus.faults, s.Stats())
	}
	if l := largest.Load(); l < 2 || l > 100 {
		t.Errorf("the largest batch had %d", l)
	}
}

// TestStopCutsOff: a handler that does not end is cut off, and its record is not done.
func TestStopCutsOff(t *testing.T) {
	b := bed.Broker(t)
	topic := b.Topic(t, 1)
	b.Produce(t, numbered(topic, 5, 1)...)
	o := options(b, topic)
	o.StopTimeout = 50 * time.Millisecond
	reached := make(chan struct{})
	s := start(t, o, func(ctx context.Context, rec *belfry.Record) error {
		if string(rec.Value) != "3" {
			return nil
		}
		close(reached)
		<-ctx.Done()
		return ctx.Err()
	})
	<-reached
	s.stop()
	if at := b.Committed(t, topic, topic)[0]; at != 3 {
		t.Errorf("committed %d, want 3", at)
	}
}

func TestOnlyOneRun(t *testing.T) {
	b := bed.Broker(t)
	topic := b.Topic(t, 1)
	b.Produce(t, numbered(topic, 1, 1)...)
	seen := make(chan struct{}, 100)
	s := start(t, options(b, topic), func(context.Context, *belfry.Record) error { seen <- struct{}{}; return nil })
	<-seen
	if err := s.Run(t.Context(), nil); !errors.Is(err, errRunning) {
		t.Errorf("the second run: %v", err)
	}
}
