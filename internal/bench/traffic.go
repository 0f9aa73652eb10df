package bench

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/seed-09a96375/belfry/internal/bench/proc"
	"github.com/seed-09a96375/belfry/internal/bench/worker"
)

// finishTime bounds the end of a run, however it went.
const finishTime = 2 * time.Minute

// hold keeps idle clients for the duration.
func (r *run) hold(ctx context.Context) error {
	before, err := r.measure()
	if err != nil {
		return err
	}
	r.show.phase("holding", r.opts.Duration)
	begun := time.Now()
	if err := r.pass(ctx, r.opts.Duration); err != nil {
		return err
	}
	after, err := r.measure()
	r.result.Hold = &Hold{Seconds: time.Since(begun).Seconds(), ServerCPU: cpuBetween(before, after)}
	return err
}

// steady sends at the rate that is wanted; echoes as fast as they come back if
// none is.
func (r *run) steady(ctx context.Context) error {
	window := 0
	if r.opts.Mode == Echo && r.opts.Rate == 0 {
		window = r.opts.InFlight
	}
	if err := r.begin(ctx, window); err != nil {
		return err
	}
	r.show.phase("measuring", r.opts.Duration)
	t, err := r.interval(ctx, r.opts.Duration)
	if err != nil {
		return err
	}
	t.Window = window
	r.result.Traffic = t
	return nil
}

// begin starts the senders and lets the warm-up pass.
func (r *run) begin(ctx context.Context, window int) error {
	r.show.phase("warming up", r.opts.Warmup)
	o := worker.Order{Op: worker.OpStart, At: r.clock.Now() + int64(10*time.Millisecond), Window: window}
	for to := range r.senders() {
		if err := r.fleet.order(to, o); err != nil {
			return err
		}
	}
	return r.pass(ctx, r.opts.Warmup)
}

// senders returns the helpers that send: the workers, or the floor server, or the
// producer.
func (r *run) senders() (helpers func(yield func(int) bool)) {
	return func(yield func(int) bool) {
		if r.opts.Mode == Floor || r.opts.Mode == Kafka {
			yield(r.workers)
			return
		}
		for i := range r.workers {
			if !yield(i) {
				return
			}
		}
	}
}

// pass lets time pass, watching the helpers. The end of ctx ends it early, and
// is no error: what follows is then partial.
func (r *run) pass(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for {
		if _, err := r.fleet.next(ctx); err != nil {
			if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
				r.result.Partial = r.result.Partial || errors.Is(err, context.Canceled)
				return nil
			}
			return err
		}
	}
}

// interval measures the traffic of a while.
func (r *run) interval(ctx context.Context, d time.Duration) (*Traffic, error) {
	busy, err := proc.Busy()
	if err != nil {
		return nil, err
	}
	before, err := r.measure()
	if err != nil {
		return nil, err
	}
	if _, err := r.marks(); err != nil {
		return nil, err
	}
	watched, err := r.watchRedis(ctx)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(r.pass(ctx, d), watched.stop()); err != nil {
		return nil, err
	}
	after, err := r.measure()
	if err != nil {
		return nil, err
	}
	t, err := r.marks()
	if err != nil {
		return nil, err
	}
	t.ServerCPU = cpuBetween(before, after)
	t.SenderCPU = senderCPU(r.opts.PIDs, before, after)
	t.PerMillion = per(t.ServerCPU, float64(t.Deliveries), 1e6)
	watched.note(t)
	t.OthersCPU, err = othersCPU(t, busy)
	return t, err
}

// senderCPU is what the first of the processes used, without its descendants.
func senderCPU(pids []int, before, after proc.Snapshot) *float64 {
	if len(pids) == 0 {
		return nil
	}
	s := seconds(after[pids[0]].CPU - before[pids[0]].CPU)
	return &s
}

// othersCPU returns what others used of the machine since it had been busy for
// that long. This process sleeps meanwhile.
func othersCPU(t *Traffic, busy int64) (float64, error) {
	now, err := proc.Busy()
	if err != nil || t.Seconds == 0 {
		return 0, err
	}
	others := seconds(now-busy) - t.GeneratorCPU
	if t.ServerCPU != nil {
		others -= *t.ServerCPU
	}
	if t.Redis != nil {
		others -= t.Redis.CPU
	}
	return max(others, 0) / t.Seconds / float64(runtime.NumCPU()), nil
}

// marks asks all workers what happened since the last time.
func (r *run) marks() (*Traffic, error) {
	ctx, cancel := context.WithTimeout(context.Background(), finishTime)
	defer cancel()
	reports, err := r.fleet.all(ctx, r.workers, worker.Order{Op: worker.OpMark})
	if err != nil {
		return nil, err
	}
	m, err := merge(reports)
	if err != nil {
		return nil, err
	}
	t := &Traffic{
		Seconds: seconds(m.mean), Sent: m.sent, Deliveries: m.arrived, Latency: latencyOf(m.hist),
		BehindMS: seconds(m.behind) * 1000, Stalls: m.stalls, GeneratorCPU: seconds(m.cpu - r.spent),
	}
	if t.Seconds > 0 {
		t.PerSecond = float64(t.Deliveries) / t.Seconds
	}
	r.spent, r.lost = m.cpu, m.lost
	r.result.Generator = Generator{Workers: r.workers, CPU: seconds(m.cpu), RSS: m.rss}
	return t, nil
}

// merged is the sum of the marks of all workers.
type merged struct {
	mean, longest int64 // of the lengths, nanoseconds
	sent, arrived uint64
	behind        int64
	stalls        uint64
	cpu, rss      int64
	lost          int
	hist          *hdrhistogram.Histogram
}

func merge(reports []worker.Report) (*merged, error) {
	m := &merged{}
	for _, rep := range reports {
		k := rep.Mark
		if k == nil {
			return nil, errors.New("a worker sent no mark")
		}
		m.mean += k.Nanoseconds / int64(len(reports))
		m.longest = max(m.longest, k.Nanoseconds)
		m.sent += k.Sent
		m.arrived += k.Arrived
		m.behind = max(m.behind, k.Behind)
		m.stalls += k.Stalls
		m.cpu += k.CPU
		m.rss += k.RSS
		m.lost += k.Lost
		var err error
		if m.hist, err = addHistogram(m.hist, k.Latency); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// addHistogram adds a histogram, as workers report it, to a sum, which is nil at
// first.
func addHistogram(sum *hdrhistogram.Histogram, encoded []byte) (*hdrhistogram.Histogram, error) {
	h, err := hdrhistogram.Decode(encoded)
	if err != nil || sum == nil {
		return h, err
	}
	sum.Merge(h)
	return sum, nil
}

// latencyOf converts a histogram of microseconds.
func latencyOf(h *hdrhistogram.Histogram) Latency {
	ms := func(us int64) float64 { return float64(us) / 1000 }
	return Latency{
		Count: h.TotalCount(), Mean: h.Mean() / 1000,
		P50: ms(h.ValueAtPercentile(50)), P99: ms(h.ValueAtPercentile(99)),
		P999: ms(h.ValueAtPercentile(99.9)), Max: ms(h.Max()),
	}
}
