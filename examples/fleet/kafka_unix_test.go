//go:build unix

package fleet_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/examples/fleet"
	"github.com/seed-09a96375/belfry/internal/kafkatest"
	"github.com/seed-09a96375/belfry/kafkaconn"
	"github.com/seed-09a96375/belfry/source/kafka"
)

// broker is shared by the tests of Kafka.
var broker kafkatest.Bed

func closeBroker() { broker.Close() }

// member is a node that consumes the topic.
type member struct {
	source *kafka.Source
	stop   func()
}

// consume makes a node one of a group until stop is called, or the test ends.
func consume(t *testing.T, n *node, b *kafkatest.Broker, topic, group string) *member {
	t.Helper()
	source, err := kafka.New(kafka.Options{
		Kafka: kafkaconn.Options{URL: "kafka://" + b.Addr()}, Topics: []string{topic}, Group: group, CreateTopics: true,
		CommitInterval: 100 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := source.RunBatches(ctx, belfry.BatchLimit{Records: 50}, n.Records); err != nil {
			t.Errorf("RunBatches: %v", err)
		}
	})
	m := &member{source, func() { cancel(); running.Wait() }}
	t.Cleanup(m.stop)
	return m
}

// rides are what trucks say that flap, and the alerts that must come of it: one per
// truck and type in a minute.
func rides(trucks, seconds int) (readings []fleet.Reading, want []string) {
	last := make(map[string]int)
	for s := range seconds {
		for i := range trucks {
			truck := fmt.Sprintf("NORTH-%04d", i)
			r := []fleet.Reading{reading(truck, s), warm(truck, s), shock(truck, s)}[(s+i)%3]
			readings = append(readings, r)
			if (s+i)%3 == 0 {
				continue
			}
			kind := fmt.Sprint(truck, (s+i)%3)
			if at, told := last[kind]; !told || s-at >= 60 {
				last[kind] = s
				want = append(want, id(r))
			}
		}
	}
	slices.Sort(want)
	return readings, want
}

// tally waits until all that is wanted was told, and returns how often each was.
func (d *dashboard) tally(want []string) map[string]int {
	d.t.Helper()
	told := make(map[string]int)
	missing := make(map[string]bool)
	for _, w := range want {
		missing[w] = true
	}
	for len(missing) > 0 {
		a := d.waitAlert()
		told[a.ID]++
		delete(missing, a.ID)
	}
	return told
}

// TestKafka is weaknesses 1, 2, 5, 6 and 12 with the real broker: nodes come and go
// while trucks report, and each alert is told once and kept once.
func TestKafka(t *testing.T) {
	b := broker.Broker(t)
	with := onRedis(t)
	store := openStore(t)
	with.store = store
	nodes := cluster(t, 3, with)
	topic, group := b.Topic(t, 4), kafkatest.Name(t)
	readings, want := rides(20, 150)
	manager := nodes[2].open("manager")

	producer, err := fleet.NewProducer(kafkaconn.Options{URL: "kafka://" + b.Addr()}, topic, slog.New(slog.DiscardHandler))
	must(t, err)
	t.Cleanup(producer.Close)
	third := len(readings) / 3
	first := consume(t, nodes[0], b, topic, group)
	must(t, producer.Report(t.Context(), readings[:third]))
	b.Produce(t, &kgo.Record{Topic: topic, Value: []byte("no reading")})
	manager.waitAlert()
	second := consume(t, nodes[1], b, topic, group) // takes partitions over, with what was claimed
	await(t, "the second node has partitions", func() bool { return len(second.source.Stats().Partitions) > 0 })
	must(t, producer.Report(t.Context(), readings[third:2*third]))
	await(t, "the second node handles records", func() bool { return second.source.Stats().Handled > 0 })
	first.stop()
	must(t, producer.Report(t.Context(), readings[2*third:]))

	manager.Rewind()
	told := manager.tally(want)
	if got := slices.Sorted(maps.Keys(told)); !slices.Equal(got, want) {
		t.Errorf("%d alerts are told, want these %d", len(got), len(want))
	}
	for id, n := range told {
		if n != 1 {
			t.Errorf("%s is told %d times", id, n)
		}
	}
	kept := manager.allAlerts()
	if slices.Sort(kept); !slices.Equal(kept, want) {
		t.Errorf("%d alerts are kept, want %d", len(kept), len(want))
	}
	if letters := b.Read(t, topic+".dead", 1); string(letters[0].Value) != "no reading" {
		t.Errorf("the dead letter is %q", letters[0].Value)
	}
	last := reading("NORTH-0007", 200)
	manager.watch(map[string]any{"trucks": []string{last.Truck}})
	must(t, producer.Report(t.Context(), []fleet.Reading{last}))
	if got := manager.waitUpdate(); got != last {
		t.Errorf("the update on a node without a partition is %+v, want %+v", got, last)
	}
}

// TestAlonePerReplicaDoubles is the negative control: with a debounce of its own on
// each replica, and readings that go to any of them, the count of TestKafka is wrong.
func TestAlonePerReplicaDoubles(t *testing.T) {
	nodes := cluster(t, 2, shared{state: func() fleet.State { return &fleet.Memory{} }})
	manager := nodes[0].open("manager")
	readings, want := rides(3, 90)
	for i, r := range readings {
		nodes[(i/3)%2].take(r)
	}
	manager.tally(want[:1])
	await(t, "more alerts than there may be", func() bool { return len(manager.allAlerts()) > len(want) })
}

// allAlerts are the ids of all that is kept.
func (d *dashboard) allAlerts() (ids []string) {
	d.t.Helper()
	for before := ""; ; {
		var page struct {
			Alerts []fleet.Alert
			Next   string
		}
		d.Decode(d.Ask("alerts", map[string]any{"before": before, "limit": 7})[0], &page)
		for _, a := range page.Alerts {
			ids = append(ids, a.ID)
		}
		if before = page.Next; before == "" {
			return ids
		}
	}
}

// await asks until it is true.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	clock := time.NewTicker(20 * time.Millisecond)
	defer clock.Stop()
	for end := time.Now().Add(3 * patience); !is(); <-clock.C {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
