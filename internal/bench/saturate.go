package bench

import (
	"context"
	"time"

	"github.com/seed-09a96375/belfry/internal/bench/worker"
)

const (
	// worthwhile is the growth of deliveries that makes a larger window worth it.
	worthwhile = 1.05
	// patience is how many windows in a row may be not worth it.
	patience = 3
)

// saturate doubles the number of messages on the way until that brings no more
// deliveries, or until connections break. The best step is the result.
func (r *run) saturate(ctx context.Context) error {
	if err := r.begin(ctx, 1); err != nil {
		return err
	}
	best, flat := -1, 0
	for w := 1; w <= r.opts.WindowMax && flat < patience && r.lost == 0 && !r.result.Partial; w *= 2 {
		t, err := r.step(ctx, w)
		if err != nil {
			return err
		}
		steps := append(r.result.Steps, *t)
		r.result.Steps = steps
		last := len(steps) - 1
		flat++
		if best < 0 || t.PerSecond > steps[best].PerSecond*worthwhile {
			flat = 0
		}
		if best < 0 || t.PerSecond > steps[best].PerSecond {
			best = last
		}
	}
	if best >= 0 {
		r.result.Traffic = &r.result.Steps[best]
	}
	return nil
}

// step measures one window, after a fifth of the time to get used to it.
func (r *run) step(ctx context.Context, window int) (*Traffic, error) {
	r.show.phase("window "+thousands(float64(window)), r.opts.Step)
	for to := range r.senders() {
		if err := r.fleet.order(to, worker.Order{Op: worker.OpWindow, Window: window}); err != nil {
			return nil, err
		}
	}
	if err := r.pass(ctx, r.opts.Step/5+time.Millisecond); err != nil {
		return nil, err
	}
	t, err := r.interval(ctx, r.opts.Step)
	if err != nil {
		return nil, err
	}
	t.Window = window
	return t, nil
}
