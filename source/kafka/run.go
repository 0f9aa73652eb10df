package kafka

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry"
)

const (
	// fetchBytes bounds what is asked for of a partition at a time, and
	// nodeFetchBytes what is asked for of a broker.
	fetchBytes     = 1 << 20
	nodeFetchBytes = 8 << 20
	// fetchWait is how long a broker waits for records that it does not have. A
	// partition that goes on after a pause waits for that, too.
	fetchWait = 500 * time.Millisecond
	// maxBatchBytes bounds a batch once it is decompressed. A larger one stops its
	// partition, with an error.
	maxBatchBytes = 128 << 20
	// rebalanceTimeout is how long the group waits for those who give partitions up.
	rebalanceTimeout = time.Minute
	// leaveTimeout is for what a member tells the group when it ends.
	leaveTimeout = 5 * time.Second
)

// run is a member of the group, from Run to its end.
type run struct {
	*Source
	most   belfry.BatchLimit
	handle handler

	client  *kgo.Client
	base    context.Context // of the partitions; does not end
	ended   <-chan struct{} // closed when ctx has ended: no handler is called any more
	commits sync.Mutex      // held for a commit: they come one after the other
	room    chan struct{}   // has room for one: a full partition is not any more

	mu      sync.Mutex
	parts   map[place]*partition
	missing []string             // topics
	said    map[string]time.Time // faults that were logged
	fault   string               // the last that was
}

// place is a partition of a topic.
type place struct {
	topic     string
	partition int32
}

func newRun(s *Source, most belfry.BatchLimit, handle handler) *run {
	return &run{
		Source: s, most: most, handle: handle,
		room: make(chan struct{}, 1), parts: make(map[place]*partition), said: make(map[string]time.Time),
	}
}

func (r *run) run(ctx context.Context) error {
	opts, err := r.options()
	if err != nil {
		return err
	}
	r.base, r.ended = context.WithoutCancel(ctx), ctx.Done()
	if r.client, err = kgo.NewClient(append(opts, r.groupOptions()...)...); err != nil {
		return err
	}
	var tasks sync.WaitGroup
	background, cancel := context.WithCancel(ctx)
	tasks.Go(func() { r.prepare(background) })
	tasks.Go(func() { r.commitAll(background) })
	err = r.poll(ctx)
	cancel()
	tasks.Wait()
	r.end()
	return err
}

func (r *run) groupOptions() []kgo.Opt {
	start := kgo.NewOffset().AtStart()
	if r.o.Start == Newest {
		start = kgo.NewOffset().AtEnd()
	}
	return []kgo.Opt{
		kgo.ConsumerGroup(r.o.Group),
		kgo.ConsumeTopics(r.o.Topics...),
		kgo.ConsumeStartOffset(start),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxPartitionBytes(fetchBytes),
		kgo.FetchMaxBytes(nodeFetchBytes),
		kgo.FetchMaxWait(fetchWait),
		kgo.MaxDecompressBatchBytes(maxBatchBytes),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.SessionTimeout(r.o.SessionTimeout),
		kgo.HeartbeatInterval(min(r.o.SessionTimeout/4, 3*time.Second)),
		kgo.RebalanceTimeout(rebalanceTimeout),
		kgo.DisableAutoCommit(),
		// What was polled is in its partition before that can be given up.
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(r.assigned),
		kgo.OnPartitionsRevoked(r.revoked),
		kgo.OnPartitionsLost(r.lost),
		kgo.ProducerLinger(0), // dead letters
	}
}

// poll brings records to their partitions until ctx ends.
func (r *run) poll(ctx context.Context) error {
	for {
		var full []*partition
		fetches := r.client.PollRecords(ctx, max(r.o.MaxRecords/4, 1))
		fetches.EachPartition(func(f kgo.FetchTopicPartition) {
			if p := r.fetched(f); p != nil {
				full = append(full, p)
			}
		})
		r.client.AllowRebalance()
		r.pace(ctx, full)
		if ctx.Err() != nil {
			return nil
		}
		if fetches.IsClientClosed() {
			return errors.New("source/kafka: the client was closed")
		}
	}
}

// fetched hands over what was fetched of a partition; it returns it if it is full.
func (r *run) fetched(f kgo.FetchTopicPartition) *partition {
	if f.Err != nil && !errors.Is(f.Err, context.Canceled) && !errors.Is(f.Err, context.DeadlineExceeded) {
		r.report("fetch "+f.Topic, f.Err, slog.Int("partition", int(f.Partition)))
	}
	r.mu.Lock()
	p := r.parts[place{f.Topic, f.Partition}]
	r.mu.Unlock()
	if p != nil && p.add(f.Records, f.HighWatermark) {
		return p
	}
	return nil
}

// end gives up all partitions and leaves the group.
func (r *run) end() {
	all := r.partitions()
	r.stop(all)
	ctx, cancel := context.WithTimeout(r.base, leaveTimeout)
	defer cancel()
	r.commit(ctx, all)
	if err := r.client.LeaveGroupContext(ctx); err != nil {
		r.o.Logger.Warn("kafka: the group was not told that this member ends; its partitions wait for the session timeout",
			"group", r.o.Group, "session timeout", r.o.SessionTimeout, "err", err)
	}
	r.client.CloseAllowingRebalance()
}

// report logs a fault, the same not more often than once in a while.
func (r *run) report(what string, err error, more ...any) {
	text := what + ": " + err.Error()
	now := time.Now()
	r.mu.Lock()
	last, again := r.said[text]
	again = again && now.Sub(last) < 30*time.Second
	if !again {
		if len(r.said) >= 100 {
			clear(r.said)
		}
		r.said[text] = now
	}
	r.fault = text
	r.mu.Unlock()
	if !again {
		r.o.Logger.Warn("kafka: "+what, append([]any{"group", r.o.Group, "err", err}, more...)...)
	}
}
