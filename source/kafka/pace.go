package kafka

import (
	"context"
	"slices"
	"time"
)

// fullFor is how long nothing is polled because partitions are full, until their
// fetching is paused. The driver throws away what it has fetched of a partition that
// is paused, to fetch it again: no good while handlers are only a little slower than
// brokers.
const fullFor = 100 * time.Millisecond

// pace waits until partitions are not full any more, but not for long: then it stops
// the fetching of those that still are, and others go on.
func (r *run) pace(ctx context.Context, full []*partition) {
	if len(full) == 0 {
		return
	}
	enough := time.NewTimer(fullFor)
	defer enough.Stop()
	for len(full) > 0 {
		select {
		case <-r.room:
			full = slices.DeleteFunc(full, (*partition).hasRoom)
		case <-enough.C:
			for _, p := range full {
				p.pause()
			}
			return
		case <-ctx.Done():
			return
		}
	}
}

// freed says that a partition is not full any more.
func (r *run) freed() {
	select {
	case r.room <- struct{}{}:
	default:
	}
}

func (p *partition) hasRoom() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.full()
}

// pause stops the fetching of a partition that is full.
func (p *partition) pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.stopped:
		return
	default:
	}
	if p.full() && !p.paused {
		p.paused = true
		p.run.client.PauseFetchPartitions(p.at.topics())
	}
}

// resume goes on with it. p.mu is held.
func (p *partition) resume() {
	p.paused = false
	p.run.client.ResumeFetchPartitions(p.at.topics())
}

func (at place) topics() map[string][]int32 { return map[string][]int32{at.topic: {at.partition}} }
