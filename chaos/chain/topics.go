package chain

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry/source/kafka"
)

// The topics and the groups that read them. Nodes read the feed, archivers both.
const (
	events       = "MESSAGES" // what clients say: see deploy/topology
	feedTopic    = "FEED"
	nodeGroup    = "belfry"
	archiveGroup = "archive"
)

// partitions of a topic: enough for a part for each node.
const partitions = 8

// topics looks after the topics and groups of the broker.
type topics struct {
	addr   string
	client *kgo.Client
	admin  *kadm.Client
}

func openTopics(addr string) (*topics, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		return nil, err
	}
	return &topics{addr, client, kadm.NewClient(client)}, nil
}

func (t *topics) close() { t.client.Close() }

func (t *topics) create(ctx context.Context, names ...string) error {
	answers, err := t.admin.CreateTopics(ctx, partitions, 1, nil, names...)
	if err != nil {
		return err
	}
	return answers.Error()
}

// lag is how many records the group is not done with.
func (t *topics) lag(ctx context.Context, group string) (int, error) {
	lags, err := t.admin.Lag(ctx, group)
	if err != nil {
		return 0, err
	}
	l := lags[group]
	if err := l.Error(); err != nil {
		return 0, err
	}
	return int(l.Lag.Total()), nil
}

// isSettled reports whether the group has so many members, and each its partitions.
func (t *topics) isSettled(ctx context.Context, group string, members int) (bool, error) {
	all, err := t.admin.DescribeGroups(ctx, group)
	if err != nil {
		return false, err
	}
	g := all[group]
	return g.State == "Stable" && len(g.Members) == members, g.Err
}

// limbo is what all groups together are not done with.
func (t *topics) limbo(ctx context.Context) (int, error) {
	nodes, err := t.lag(ctx, nodeGroup)
	if err != nil {
		return 0, err
	}
	rows, err := t.lag(ctx, archiveGroup)
	return nodes + rows, err
}

// skip says for a group that all records that are there are done. Nobody may be in it.
func (t *topics) skip(ctx context.Context, group string, names ...string) error {
	ends, err := t.admin.ListEndOffsets(ctx, names...)
	if err != nil {
		return err
	}
	return t.admin.CommitAllOffsets(ctx, group, ends.Offsets())
}

// place is where a record is.
type place struct {
	topic     string
	partition int32
	offset    int64
}

// read returns all records that a topic has; none if there is no such topic.
func (t *topics) read(ctx context.Context, topic string) (all []*kgo.Record, err error) {
	ends, err := t.admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	if err := ends.Error(); errors.Is(err, kerr.UnknownTopicOrPartition) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	left := 0
	ends.Each(func(o kadm.ListedOffset) { left += int(o.Offset) })
	client, err := kgo.NewClient(kgo.SeedBrokers(t.addr), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for len(all) < left {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("read %s, %d of %d records: %w", topic, len(all), left, ctx.Err())
		}
		all = append(all, fetches.Records()...)
	}
	return all, nil
}

// twice counts the records of the events under an id that was there before.
func twice(records []*kgo.Record) (n int) {
	seen := make(map[string]bool)
	for _, rec := range records {
		id := header(rec, "id")
		if seen[id] {
			n++
		}
		seen[id] = true
	}
	return n
}

func header(rec *kgo.Record, key string) string {
	for _, h := range rec.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// letter is a record that a group has put aside. One that is there twice, after a crash,
// is one.
type letter struct {
	place
	group string
}

func lettersOf(records []*kgo.Record) (map[letter]bool, error) {
	all := make(map[letter]bool)
	for _, rec := range records {
		l := letter{group: header(rec, kafka.HeaderGroup)}
		l.topic = header(rec, kafka.HeaderTopic)
		partition, err := strconv.ParseInt(header(rec, kafka.HeaderPartition), 10, 32)
		if err != nil {
			return nil, fmt.Errorf("dead letter without a partition: %w", err)
		}
		l.partition = int32(partition)
		if l.offset, err = strconv.ParseInt(header(rec, kafka.HeaderOffset), 10, 64); err != nil {
			return nil, fmt.Errorf("dead letter without an offset: %w", err)
		}
		all[l] = true
	}
	return all, nil
}
