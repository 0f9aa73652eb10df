package kafka

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry"
)

// Stats is what a Source on this node does and has done.
type Stats struct {
	Handled  uint64 // records, poison too
	Retries  uint64 // tries that failed
	Poisoned uint64 // records that are among the dead letters
	Commits  uint64
	// Missing are topics that are waited for.
	Missing []string
	// Fault is what went wrong last, though it may be over. Empty: nothing.
	Fault      string
	Partitions []PartitionStats // that this node has, by topic and number
}

// PartitionStats are those of one partition.
type PartitionStats struct {
	Topic     string
	Partition int32
	Next      int64  // the offset after what is done, 0: nothing was yet
	End       int64  // the offset after the last record, when it was last fetched
	Records   int    // fetched and not done
	Bytes     int    // their size, about
	Paused    bool   // enough is fetched
	Fault     string // why a record is tried again and again
}

// Stats returns what the source does now, and has done in all its runs.
func (s *Source) Stats() Stats {
	stats := Stats{
		Handled: s.handled.Load(), Retries: s.retries.Load(),
		Poisoned: s.poisoned.Load(), Commits: s.commits.Load(),
	}
	s.mu.Lock()
	r := s.run
	s.mu.Unlock()
	if r == nil {
		return stats
	}
	for _, p := range r.partitions() {
		stats.Partitions = append(stats.Partitions, p.stats())
	}
	slices.SortFunc(stats.Partitions, func(a, b PartitionStats) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	stats.Missing, stats.Fault = r.missing, r.fault
	return stats
}

func (p *partition) stats() PartitionStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return PartitionStats{
		Topic: p.at.topic, Partition: p.at.partition, Next: p.progress.next.offset, End: p.end,
		Records: p.records, Bytes: p.bytes, Paused: p.paused, Fault: p.fault,
	}
}

// Lag is that of belfry.LagReporter: what the group has not committed, asked of the
// brokers. Age is that of the oldest record that this node has and that is not done.
func (s *Source) Lag(ctx context.Context) (belfry.Lag, error) {
	opts, err := s.options()
	if err != nil {
		return belfry.Lag{}, err
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return belfry.Lag{}, err
	}
	defer client.Close()
	lag := belfry.Lag{Age: s.age()}
	lag.Records, err = s.behind(ctx, kadm.NewClient(client))
	return lag, err
}

func (s *Source) behind(ctx context.Context, admin *kadm.Client) (records int64, err error) {
	done, err := admin.FetchOffsetsForTopics(ctx, s.o.Group, s.o.Topics...)
	if err != nil {
		return 0, fmt.Errorf("offsets of group %s: %w", s.o.Group, err)
	}
	starts, err := admin.ListStartOffsets(ctx, s.o.Topics...)
	if err != nil {
		return 0, fmt.Errorf("first offsets: %w", err)
	}
	ends, err := admin.ListEndOffsets(ctx, s.o.Topics...)
	if err != nil {
		return 0, fmt.Errorf("last offsets: %w", err)
	}
	var fault error
	ends.Each(func(end kadm.ListedOffset) {
		if end.Err != nil {
			fault = fmt.Errorf("last offset of %s: %w", end.Topic, end.Err)
			return
		}
		start, _ := starts.Lookup(end.Topic, end.Partition)
		at := start.Offset
		if offset, known := done.Lookup(end.Topic, end.Partition); known && offset.At >= 0 {
			at = max(at, offset.At)
		} else if s.o.Start == Newest {
			at = end.Offset
		}
		records += max(end.Offset-at, 0)
	})
	return records, fault
}

// age is that of the oldest record here that is not done.
func (s *Source) age() time.Duration {
	s.mu.Lock()
	r := s.run
	s.mu.Unlock()
	if r == nil {
		return 0
	}
	var oldest time.Duration
	for _, p := range r.partitions() {
		if t := p.oldest(); !t.IsZero() {
			oldest = max(oldest, time.Since(t))
		}
	}
	return oldest
}

// oldest returns the time of the first record that is not done, zero if all are.
func (p *partition) oldest() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.progress.open) == 0 {
		return time.Time{}
	}
	return time.UnixMilli(p.progress.open[0].time)
}
