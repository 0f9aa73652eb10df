package bench

import (
	"context"

	"github.com/seed-09a96375/belfry/internal/bench/proc"
	"github.com/seed-09a96375/belfry/internal/bench/worker"
)

// finish measures memory, stops the senders, waits for what is on the way and
// has the workers judge. It does so for an interrupted run, too.
func (r *run) finish(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	if err := r.remember(); err != nil {
		return err
	}
	r.show.phase("settling", 0)
	sent, err := r.stop(ctx)
	if err != nil {
		return err
	}
	reports, err := r.fleet.all(ctx, r.workers, worker.Order{Op: worker.OpSettle, Sent: sent})
	if err != nil {
		return err
	}
	for _, rep := range reports {
		r.result.Check.Add(*rep.Tally)
	}
	if _, err := r.marks(); err != nil {
		return err
	}
	return r.addOwnCPU()
}

// remember notes what the servers hold at the end of the measurement.
func (r *run) remember() error {
	if err := r.weighRedis(); err != nil {
		return err
	}
	m := r.result.Memory
	if m == nil {
		return nil
	}
	s, err := r.measure()
	if err != nil {
		return err
	}
	m.End = s.RSS()
	m.PerClient = float64(m.End-m.Before) / float64(r.opts.Clients)
	return nil
}

// stop stops the senders and returns how much each source sent.
func (r *run) stop(ctx context.Context) ([]uint32, error) {
	n := 0
	for to := range r.senders() {
		if err := r.fleet.order(to, worker.Order{Op: worker.OpStop}); err != nil {
			return nil, err
		}
		n++
	}
	sent := make([]uint32, r.opts.plan().Sources())
	for n > 0 {
		m, err := r.fleet.next(ctx)
		if err != nil {
			return nil, err
		}
		if m.report.Op != worker.OpStop {
			continue
		}
		n--
		for _, s := range m.report.Sent {
			sent[s.Source] = s.Sent
		}
	}
	return sent, nil
}

// addOwnCPU adds what this process used to what the workers used.
func (r *run) addOwnCPU() error {
	u, err := proc.Self()
	r.result.Generator.CPU += seconds(u.CPU)
	return err
}
