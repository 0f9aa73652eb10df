package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// commitAll commits what is done, again and again, until ctx ends.
func (r *run) commitAll(ctx context.Context) {
	tick := time.NewTicker(r.o.CommitInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			bounded, cancel := context.WithTimeout(ctx, leaveTimeout)
			r.commit(bounded, r.partitions())
			cancel()
		case <-ctx.Done():
			return
		}
	}
}

// commit commits what is done of partitions. What fails is due the next time, or
// comes again to whoever has the partition then.
func (r *run) commit(ctx context.Context, parts []*partition) {
	r.commits.Lock()
	defer r.commits.Unlock()
	offsets := make(map[string]map[int32]kgo.EpochOffset)
	for _, p := range parts {
		if at, due := p.due(); due {
			if offsets[p.at.topic] == nil {
				offsets[p.at.topic] = make(map[int32]kgo.EpochOffset)
			}
			offsets[p.at.topic][p.at.partition] = at
		}
	}
	if len(offsets) == 0 {
		return
	}
	failed := make(map[place]error)
	r.client.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, answer *kmsg.OffsetCommitResponse, err error) {
		faults(offsets, answer, err, failed)
	})
	for _, p := range parts {
		at, asked := offsets[p.at.topic][p.at.partition]
		switch err := failed[p.at]; {
		case !asked:
		case errors.Is(err, context.Canceled): // the end; they are committed once more
		case err != nil:
			r.report("commit offsets", err)
		default:
			p.committed(at)
		}
	}
	if len(failed) == 0 {
		r.Source.commits.Add(1)
	}
}

// faults collects what the answer to a commit says of each partition.
func faults(offsets map[string]map[int32]kgo.EpochOffset, answer *kmsg.OffsetCommitResponse, err error, failed map[place]error) {
	if err != nil {
		for topic, all := range offsets {
			for n := range all {
				failed[place{topic, n}] = err
			}
		}
		return
	}
	for _, topic := range answer.Topics {
		for _, p := range topic.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				failed[place{topic.Topic, p.Partition}] = fmt.Errorf("partition %d: %w", p.Partition, err)
			}
		}
	}
}

// due returns the offset to commit, if there is a new one.
func (p *partition) due() (kgo.EpochOffset, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return kgo.EpochOffset{Epoch: p.progress.next.epoch, Offset: p.progress.next.offset}, p.progress.ready
}

// committed says that the offset is; later ones may be due already.
func (p *partition) committed(at kgo.EpochOffset) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.progress.next.offset == at.Offset {
		p.progress.ready = false
	}
}
