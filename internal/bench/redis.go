package bench

import (
	"context"
	"errors"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/seed-09a96375/belfry/internal/bench/redis"
)

// openRedis connects to the Redis that is measured, if there is one.
func (r *run) openRedis(ctx context.Context) (err error) {
	if r.opts.Redis != "" {
		r.redis, err = redis.Dial(ctx, r.opts.Redis)
	}
	return err
}

func (r *run) closeRedis() error {
	if r.redis == nil {
		return nil
	}
	return r.redis.Close()
}

// weighRedis notes what the Redis holds: first before all clients, last at the
// end.
func (r *run) weighRedis() error {
	if r.redis == nil {
		return nil
	}
	u, err := r.redis.Usage()
	if err != nil {
		return err
	}
	m := r.result.Redis
	if m == nil {
		r.result.Redis = &RedisMemory{Before: u.Memory}
		return nil
	}
	m.End, m.RSS = u.Memory, u.RSS
	m.PerClient = float64(m.End-m.Before) / float64(r.opts.Clients)
	return nil
}

// redisWatch is a while in which the Redis is watched. A nil one watches
// nothing.
type redisWatch struct {
	conn   *redis.Conn
	before redis.Usage
	work   *RedisWork
	pinger *pinger // nil if round trips are not measured
}

// watchRedis begins to watch the Redis.
func (r *run) watchRedis(ctx context.Context) (*redisWatch, error) {
	if r.redis == nil {
		return nil, nil
	}
	before, err := r.redis.Usage()
	if err != nil {
		return nil, err
	}
	w := &redisWatch{conn: r.redis, before: before}
	if r.opts.Drain < 0 && !r.opts.Saturate {
		w.pinger = startPinger(ctx, r.opts.Redis)
	}
	return w, nil
}

// stop ends the watch. It must be called once.
func (w *redisWatch) stop() error {
	if w == nil {
		return nil
	}
	err := w.pinger.stop()
	after, usageErr := w.conn.Usage()
	d := after.Since(w.before)
	w.work = &RedisWork{CPU: d.CPU.Seconds(), Commands: d.Commands}
	return errors.Join(err, usageErr)
}

// seen returns what the Redis did; nil if there is none.
func (w *redisWatch) seen() *RedisWork {
	if w == nil {
		return nil
	}
	return w.work
}

// note writes what was seen into the figures of the same while.
func (w *redisWatch) note(t *Traffic) {
	if w == nil {
		return
	}
	t.Redis = w.work
	t.RedisPerMillion = per(&w.work.CPU, float64(t.Deliveries), 1e6)
	if w.pinger != nil {
		l := latencyOf(w.pinger.hist)
		t.RoundTrip = &l
	}
}

// pinger measures round trips in the background.
type pinger struct {
	cancel context.CancelFunc
	done   chan struct{}
	hist   *hdrhistogram.Histogram
	err    error
}

func startPinger(ctx context.Context, addr string) *pinger {
	ctx, cancel := context.WithCancel(ctx)
	p := &pinger{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.hist, p.err = redis.RoundTrips(ctx, addr)
	}()
	return p
}

func (p *pinger) stop() error {
	if p == nil {
		return nil
	}
	p.cancel()
	<-p.done
	return p.err
}
