package kafka

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// assigned, revoked and lost are called by the driver one after the other, and not
// between a poll and AllowRebalance.

func (r *run) assigned(_ context.Context, _ *kgo.Client, added map[string][]int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	each(added, func(at place) {
		if r.parts[at] == nil {
			r.parts[at] = newPartition(r, at)
		}
	})
}

// revoked gives partitions up in order: another member gets them when it returns.
func (r *run) revoked(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	given := r.take(gone)
	if len(given) == 0 {
		return
	}
	r.stop(given)
	ctx, cancel := context.WithTimeout(r.base, leaveTimeout)
	defer cancel()
	r.commit(ctx, given)
}

// lost gives up partitions that others may have already: what their handlers are at
// is cut off, and nothing is committed.
func (r *run) lost(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	parts := r.take(gone)
	for _, p := range parts {
		p.cancel()
	}
	r.stop(parts)
}

// take removes partitions from those that records come to.
func (r *run) take(gone map[string][]int32) (taken []*partition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	each(gone, func(at place) {
		if p := r.parts[at]; p != nil {
			delete(r.parts, at)
			taken = append(taken, p)
		}
	})
	return taken
}

func (r *run) partitions() (all []*partition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.parts {
		all = append(all, p)
	}
	return all
}

// stop returns when no handler runs for the partitions, and none will.
func (r *run) stop(parts []*partition) {
	var running sync.WaitGroup
	for _, p := range parts {
		p.stop()
		late := time.AfterFunc(r.o.StopTimeout, p.cancel)
		running.Go(func() {
			p.workers.Wait()
			late.Stop()
			p.cancel()
		})
	}
	running.Wait()
}

func each(topics map[string][]int32, f func(place)) {
	for topic, partitions := range topics {
		for _, n := range partitions {
			f(place{topic, n})
		}
	}
}
