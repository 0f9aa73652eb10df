package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/seed-09a96375/belfry/internal/bench/proc"
	"github.com/seed-09a96375/belfry/internal/bench/redis"
	"github.com/seed-09a96375/belfry/internal/bench/stamp"
	"github.com/seed-09a96375/belfry/internal/bench/worker"
)

// run is one benchmark under way.
type run struct {
	opts    Options // complete
	fleet   *fleet
	workers int // the first helpers of the fleet; a floor server or a producer comes behind them
	pids    []int
	result  *Result
	show    *progress
	clock   stamp.Clock
	spent   int64       // CPU of the workers at the last mark, nanoseconds
	lost    int         // connections lost until the last mark
	redis   *redis.Conn // nil if none is measured
}

// start runs one benchmark. When ctx ends, the run ends early with a partial
// result and no error.
func start(ctx context.Context, opts Options, launch launcher, show *progress) (*Result, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	if runtime.GOOS != "linux" {
		return nil, worker.Run(nil, nil) // says what is needed
	}
	r := newRun(opts, show)
	err := r.openRedis(ctx)
	if err == nil {
		err = r.prime(ctx, launch)
	}
	if err == nil {
		err = r.phases(ctx, launch)
	}
	show.end()
	closeErr := errors.Join(r.fleet.close(), r.closeRedis())
	switch {
	case err == nil:
		err = closeErr
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		r.result.Partial, err = true, nil
	}
	return r.result, err
}

func newRun(opts Options, show *progress) *run {
	r := &run{opts: opts.withDefaults(), show: show, clock: stamp.NewClock(), fleet: newFleet(show.watch)}
	r.pids = r.opts.PIDs
	r.result = r.newResult()
	return r
}

// prime connects some clients, and lets them leave.
func (r *run) prime(ctx context.Context, launch launcher) error {
	if r.opts.Prime <= 0 {
		return nil
	}
	o := r.opts
	o.Mode, o.Clients, o.Rooms, o.Workers, o.Join, o.Redis = Idle, o.Prime, 1, 1, false, ""
	first := newRun(o, &progress{})
	r.show.phase("priming", 0)
	err := first.connect(ctx, launch)
	if closeErr := first.fleet.close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return r.pass(ctx, primePause) // the server has to see them leave
}

// primePause is the time between the clients that prime a server and the first
// that counts.
const primePause = time.Second

func (r *run) newResult() *Result {
	o := r.opts
	out := &Result{
		Mode: o.Mode, Protocol: string(o.Protocol), URLs: o.URLs, Started: time.Now().UTC(),
		Clients: o.Clients, DrainMS: max(o.Drain, 0).Seconds() * 1000,
	}
	if o.Mode == Floor {
		out.Protocol = "none"
	}
	if o.Mode != Idle {
		out.Publishers, out.Size = o.Publishers, o.Size
		if !o.Saturate {
			out.Rate = o.Rate
		}
	}
	if o.Mode != Echo && (o.Mode != Idle || o.Join) {
		out.Rooms = o.Rooms
	}
	out.Apart, out.HTTP = o.Apart, o.HTTP
	return out
}

// phases does the run from the first process to the verdict.
func (r *run) phases(ctx context.Context, launch launcher) error {
	if err := r.connect(ctx, launch); err != nil {
		return err
	}
	var err error
	switch {
	case r.opts.Mode == Idle:
		err = r.hold(ctx)
	case r.opts.Mode == Return:
		err = r.killOne(ctx)
	case r.opts.Saturate:
		err = r.saturate(ctx)
	default:
		err = r.steady(ctx)
	}
	if err != nil {
		return err
	}
	return r.finish(ctx)
}

// connect starts the helpers, connects the clients, and lets them join.
func (r *run) connect(ctx context.Context, launch launcher) error {
	setup, err := r.launch(ctx, launch)
	if err != nil {
		return err
	}
	before, err := r.measure()
	if err != nil {
		return err
	}
	if err := r.weighRedis(); err != nil {
		return err
	}
	r.show.phase("connecting", 0)
	begun := time.Now()
	for w := range r.workers {
		mine := *setup
		mine.First, mine.End = w*r.opts.Clients/r.workers, (w+1)*r.opts.Clients/r.workers
		if err := r.fleet.order(w, worker.Order{Op: worker.OpSetup, Setup: &mine}); err != nil {
			return err
		}
	}
	// The floor server, too, answers once it has all clients, a producer once it has brokers.
	reports, err := r.fleet.answers(ctx, len(r.fleet.helpers), worker.OpSetup)
	if err != nil {
		r.result.Connect.set(r.fleet.connected(), time.Since(begun))
		return err
	}
	if err := r.connected(reports[:r.workers], before); err != nil {
		return err
	}
	return r.join(ctx)
}

// launch starts the helpers and returns what the workers are to know.
func (r *run) launch(ctx context.Context, launch launcher) (*worker.Setup, error) {
	o := r.opts
	setup := &worker.Setup{
		Plan: o.plan(), Protocol: o.Protocol, Echo: o.Mode == Echo, Floor: o.Mode == Floor, Return: o.Mode == Return, HTTP: o.HTTP,
		RoomPrefix: fmt.Sprintf("bench-%x-", time.Now().UnixNano()),
		Rate:       o.Rate, Size: o.Size, Drain: max(o.Drain, 0),
		Concurrency: o.Concurrency / o.Workers, ConnectRate: o.ConnectRate / float64(o.Workers),
		Timeout: o.Timeout, Grace: o.Grace, Seed: o.Seed, Kafka: o.Kafka, Topic: o.Topic,
	}
	for range o.Workers {
		if _, err := r.fleet.add(launch, workerRole); err != nil {
			return nil, err
		}
	}
	r.workers = o.Workers
	var err error
	if setup.Floor {
		setup.Targets, err = r.launchFloor(ctx, launch, setup)
	} else {
		setup.Targets, err = resolve(ctx, o.URLs, o.Protocol)
	}
	if err == nil && o.Mode == Kafka {
		err = r.launchProducer(launch, setup)
	}
	return setup, err
}

// launchProducer starts what sends in the place of clients.
func (r *run) launchProducer(launch launcher, setup *worker.Setup) error {
	if _, err := r.fleet.add(launch, producerRole); err != nil {
		return err
	}
	return r.fleet.order(r.workers, worker.Order{Op: worker.OpSetup, Setup: setup})
}

// launchFloor starts the floor server, which is then what is measured.
func (r *run) launchFloor(ctx context.Context, launch launcher, setup *worker.Setup) ([]worker.Target, error) {
	h, err := r.fleet.add(launch, floorRole)
	if err != nil {
		return nil, err
	}
	r.pids = []int{h.pid}
	if err := r.fleet.order(r.workers, worker.Order{Op: worker.OpSetup, Setup: setup}); err != nil {
		return nil, err
	}
	m, err := r.fleet.next(ctx)
	if err != nil {
		return nil, err
	}
	return []worker.Target{{Addr: m.report.Addr, Host: m.report.Addr}}, nil
}

// connected notes how connecting went.
func (r *run) connected(reports []worker.Report, before proc.Snapshot) error {
	after, err := r.measure()
	if err != nil {
		return err
	}
	m, err := merge(reports)
	if err != nil {
		return err
	}
	c := &r.result.Connect
	c.set(r.opts.Clients, time.Duration(m.longest))
	c.Latency = latencyOf(m.hist)
	c.ServerCPU = cpuBetween(before, after)
	c.Per1000 = per(c.ServerCPU, float64(c.Clients), 1000)
	if before != nil {
		r.result.Memory = &Memory{Before: before.RSS(), Connected: after.RSS()}
	}
	return nil
}

// join has the clients join their rooms, where there are rooms to join.
func (r *run) join(ctx context.Context) error {
	switch r.opts.Mode {
	case Fanout, Rooms, Return, Kafka:
	default:
		if !r.opts.Join {
			return nil
		}
	}
	r.show.phase("joining", 0)
	_, err := r.fleet.all(ctx, r.workers, worker.Order{Op: worker.OpJoin})
	return err
}

// measure takes a snapshot of the server processes; nil if none are known.
func (r *run) measure() (proc.Snapshot, error) {
	if len(r.pids) == 0 {
		return nil, nil
	}
	return proc.Take(r.pids)
}
