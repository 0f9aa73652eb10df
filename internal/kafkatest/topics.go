//go:build unix

package kafkatest

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// patience is for one request.
const patience = 60 * time.Second

// Client returns a client that is closed with the test.
func (b *Broker) Client(t testing.TB, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(b.Addr())}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseAllowingRebalance)
	return client
}

// Name returns a name for a topic or a group that nobody has.
func Name(t testing.TB) string {
	clean := strings.Map(func(r rune) rune {
		if r == '/' || r > '~' || r < '-' {
			return '-'
		}
		return r
	}, t.Name())
	return clean + "-" + rand.Text()[:6]
}

// Topic makes a topic with a name of its own.
func (b *Broker) Topic(t testing.TB, partitions int32) string {
	t.Helper()
	name := Name(t)
	b.Create(t, name, partitions)
	return name
}

// Create makes a topic.
func (b *Broker) Create(t testing.TB, name string, partitions int32) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, err := kadm.NewClient(b.Client(t)).CreateTopic(ctx, partitions, 1, nil, name)
	if err == nil {
		err = answer.Err
	}
	if err != nil {
		t.Fatalf("create topic %s: %v", name, err)
	}
}

// Produce appends records, in order for each key.
func (b *Broker) Produce(t testing.TB, records ...*kgo.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := b.Client(t).ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatalf("produce: %v", err)
	}
}

// Read returns the first n records of a topic, in order for each partition.
func (b *Broker) Read(t testing.TB, topic string, n int) []*kgo.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client := b.Client(t, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	var all []*kgo.Record
	for len(all) < n {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("read %d of %d records of %s", len(all), n, topic)
		}
		all = append(all, fetches.Records()...)
	}
	return all
}

// Committed returns the offsets of a group, by partition; -1: none.
func (b *Broker) Committed(t testing.TB, group, topic string) map[int32]int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	offsets, err := kadm.NewClient(b.Client(t)).FetchOffsets(ctx, group)
	if err != nil {
		t.Fatalf("offsets of group %s: %v", group, err)
	}
	at := make(map[int32]int64)
	offsets.Each(func(o kadm.OffsetResponse) {
		if o.Topic == topic {
			at[o.Partition] = o.At
		}
	})
	return at
}
