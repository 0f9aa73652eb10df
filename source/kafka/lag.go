package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry"
)

// Lag is that of belfry.LagReporter: what the group has not committed, asked of the
// brokers by a connection of its own. It reads a record of each partition that is
// behind, to know its age: ask every few seconds, not more often.
func (s *Source) Lag(ctx context.Context) (belfry.Lag, error) {
	opts, err := s.options()
	if err != nil {
		return belfry.Lag{}, err
	}
	client, err := kgo.NewClient(append(opts, kgo.FetchMaxPartitionBytes(1), kgo.FetchMaxWait(fetchWait))...)
	if err != nil {
		return belfry.Lag{}, err
	}
	defer client.Close()
	lag, next, err := s.behind(ctx, kadm.NewClient(client))
	if err == nil && len(next) > 0 {
		lag.Age = age(ctx, client, next)
	}
	return lag, err
}

// behind counts what is not committed, and returns where that begins.
func (s *Source) behind(ctx context.Context, admin *kadm.Client) (lag belfry.Lag, next map[place]int64, err error) {
	done, err := admin.FetchOffsetsForTopics(ctx, s.o.Group, s.o.Topics...)
	if err != nil {
		return lag, nil, fmt.Errorf("offsets of group %s: %w", s.o.Group, err)
	}
	starts, err := admin.ListStartOffsets(ctx, s.o.Topics...)
	if err != nil {
		return lag, nil, fmt.Errorf("first offsets: %w", err)
	}
	ends, err := admin.ListCommittedOffsets(ctx, s.o.Topics...)
	if err != nil {
		return lag, nil, fmt.Errorf("last offsets: %w", err)
	}
	next = make(map[place]int64)
	ends.Each(func(end kadm.ListedOffset) {
		if end.Err != nil {
			err = fmt.Errorf("last offset of %s: %w", end.Topic, end.Err)
			return
		}
		start, _ := starts.Lookup(end.Topic, end.Partition)
		at := start.Offset
		if offset, known := done.Lookup(end.Topic, end.Partition); known && offset.At >= 0 {
			at = max(at, offset.At)
		} else if s.o.Start == Newest {
			at = end.Offset
		}
		if at < end.Offset {
			lag.Records += end.Offset - at
			next[place{end.Topic, end.Partition}] = at
		}
	})
	return lag, next, err
}

// age returns that of the oldest of the records at these offsets; 0 if they cannot be
// read soon.
func age(ctx context.Context, client *kgo.Client, next map[place]int64) (oldest time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, 4*fetchWait)
	defer cancel()
	from := make(map[string]map[int32]kgo.Offset)
	for at, offset := range next {
		if from[at.topic] == nil {
			from[at.topic] = make(map[int32]kgo.Offset)
		}
		from[at.topic][at.partition] = kgo.NewOffset().At(offset)
	}
	client.AddConsumePartitions(from)
	for len(next) > 0 && ctx.Err() == nil {
		client.PollFetches(ctx).EachPartition(func(p kgo.FetchTopicPartition) {
			at := place{p.Topic, p.Partition}
			if _, wanted := next[at]; wanted && len(p.Records) > 0 {
				delete(next, at)
				oldest = max(oldest, time.Since(p.Records[0].Timestamp), 1)
			}
		})
	}
	return oldest
}
