package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/seed-09a96375/belfry/internal/bench/worker"
)

// returnCheck is the time between two questions whether all clients are back.
const returnCheck = 50 * time.Millisecond

// killOne sends, kills the victim, waits until its clients are back, and sends
// for the duration on.
func (r *run) killOne(ctx context.Context) error {
	if err := r.begin(ctx, 0); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return nil // interrupted: nobody is killed
	}
	watched, err := r.watchRedis(ctx)
	if err != nil {
		return err
	}
	at, err := r.kill()
	if err == nil {
		err = r.awaitReturns(ctx)
	}
	if err := errors.Join(err, watched.stop()); err != nil {
		return err
	}
	r.show.phase("measuring", r.opts.Duration)
	if err := r.pass(ctx, r.opts.Duration); err != nil {
		return err
	}
	r.result.Return, err = r.returned(at, watched.seen())
	return err
}

// kill ends the victim without warning and returns when it did. From then on it
// is not measured, nor is memory: that of the clients has moved.
func (r *run) kill() (at int64, err error) {
	p, err := os.FindProcess(r.opts.Victim)
	if err != nil {
		return 0, fmt.Errorf("find process %d: %w", r.opts.Victim, err)
	}
	r.pids = slices.DeleteFunc(slices.Clone(r.pids), func(pid int) bool { return pid == r.opts.Victim })
	r.result.Memory = nil
	at = r.clock.Now()
	if err := p.Kill(); err != nil {
		return 0, fmt.Errorf("kill process %d: %w", r.opts.Victim, err)
	}
	return at, nil
}

// awaitReturns waits until all clients of the victim are back, or for as long as
// a handshake may take: then they count as not back.
func (r *run) awaitReturns(ctx context.Context) error {
	r.show.phase("returning", r.opts.Timeout)
	want := r.thrownOff()
	for begun := time.Now(); time.Since(begun) < r.opts.Timeout; {
		if err := r.pass(ctx, returnCheck); err != nil {
			return err
		}
		sum, err := r.sumReturns()
		if err != nil || sum.Back >= want || r.result.Partial {
			return err
		}
	}
	return nil
}

// thrownOff returns how many clients the victim has.
func (r *run) thrownOff() (n int) {
	plan, servers := r.opts.plan(), len(r.opts.URLs)
	for i := range r.opts.Clients {
		if plan.Target(i, servers) == servers-1 {
			n++
		}
	}
	return n
}

// returns is the sum of what all workers say of those who came back.
type returns struct {
	worker.Returns

	hist *hdrhistogram.Histogram
}

// sumReturns asks all workers who is back.
func (r *run) sumReturns() (*returns, error) {
	ctx, cancel := context.WithTimeout(context.Background(), finishTime)
	defer cancel()
	reports, err := r.fleet.all(ctx, r.workers, worker.Order{Op: worker.OpReturns})
	if err != nil {
		return nil, err
	}
	sum := &returns{}
	for _, rep := range reports {
		b := rep.Returns
		if b == nil {
			return nil, errors.New("a worker did not say who is back")
		}
		sum.Lost += b.Lost
		sum.Back += b.Back
		sum.Recovered += b.Recovered
		sum.LastBack = max(sum.LastBack, b.LastBack)
		sum.LastWhole = max(sum.LastWhole, b.LastWhole)
		if sum.hist, err = addHistogram(sum.hist, b.Latency); err != nil {
			return nil, err
		}
	}
	return sum, nil
}

// returned says how the returns went since the kill.
func (r *run) returned(kill int64, work *RedisWork) (*Returned, error) {
	sum, err := r.sumReturns()
	if err != nil {
		return nil, err
	}
	out := &Returned{
		Clients: r.thrownOff(), Back: sum.Back, Recovered: sum.Recovered,
		Latency: latencyOf(sum.hist), Redis: work,
	}
	if sum.Back > 0 {
		out.BackSeconds, out.Seconds = seconds(sum.LastBack-kill), seconds(sum.LastWhole-kill)
	}
	if work != nil {
		calls := work.calls()
		out.CommandsPerClient = per(&calls, float64(sum.Back), 1)
	}
	return out, nil
}
