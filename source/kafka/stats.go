package kafka

import (
	"cmp"
	"slices"
	"time"
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
	Next      int64     // the offset after what is done, 0: nothing was yet
	End       int64     // the offset after the last record, when it was last fetched
	Records   int       // fetched and not done
	Bytes     int       // their size, about
	Paused    bool      // enough is fetched
	Oldest    time.Time // when the first of these was produced; zero: there is none
	Fault     string    // why a record is tried again and again
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
	stats := PartitionStats{
		Topic: p.at.topic, Partition: p.at.partition, Next: p.progress.next.offset, End: p.end,
		Records: p.records, Bytes: p.bytes, Paused: p.paused, Fault: p.fault,
	}
	if len(p.progress.open) > 0 {
		stats.Oldest = time.UnixMilli(p.progress.open[0].time)
	}
	return stats
}
