package scenario

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry/chaos/account"
	"github.com/seed-09a96375/belfry/chaos/lab"
	"github.com/seed-09a96375/belfry/chaos/publish"
)

// Options of a run.
type Options struct {
	Subject  lab.Subject
	Messages int // to the busy rooms, all together
	Clients  int
	Seed     uint64
	Dir      string // for logs and data; a new one
	Script   string // of the clients
	Nginx    string // its configuration
	// Transports of all clients; nil: some of each kind.
	Transports []string
	// Hasty halves the time in which messages flow where the fault allows it.
	Hasty bool
}

const (
	// lead is how long messages flow before the fault.
	lead = 3 * time.Second
	// quietMessages are those of each stream to the quiet room.
	quietMessages = 20
	quietOver     = 4 * time.Second
	// limit bounds a run.
	limit = 3 * time.Minute
)

// run is one experiment.
type run struct {
	Options
	scenario  Scenario
	control   Control // zero: nothing is broken on purpose
	layout    layout
	cluster   *lab.Cluster
	fleet     *lab.Fleet
	publisher *publish.Publisher
	redis     rueidis.Client // nil where it is not needed
}

// Run does the scenario to the subject and returns the account.
func (s Scenario) Run(ctx context.Context, o Options) (account.Report, error) {
	return s.run(ctx, o, Control{})
}

// RunControl does the same with something broken on purpose.
func (s Scenario) RunControl(ctx context.Context, o Options) (account.Report, error) {
	return s.run(ctx, o, s.Control)
}

func (s Scenario) run(ctx context.Context, o Options, c Control) (account.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r := &run{Options: o, scenario: s, control: c}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return account.Report{}, err
	}
	r.layout = lay(o.Clients, rand.New(rand.NewPCG(o.Seed, 0)))
	if o.Transports != nil {
		for i := range r.layout.clients {
			r.layout.clients[i].Transports = o.Transports
		}
	}
	err := r.start(ctx)
	defer r.stop()
	if err != nil {
		return account.Report{}, err
	}
	if err := r.happen(ctx); err != nil {
		return account.Report{}, err
	}
	return r.settle(ctx)
}

func (r *run) start(ctx context.Context) (err error) {
	r.cluster, err = lab.Start(ctx, lab.Options{
		Dir: r.Dir, Nginx: r.Nginx, Subject: r.Subject, Control: r.control.Node, Watched: r.scenario.Watched,
		Durable: r.scenario.Via != publish.ByNode,
	})
	if err != nil {
		return err
	}
	if r.fleet, err = lab.StartFleet(r.Dir, r.Script, r.cluster.Nginx.URL, r.layout.clients); err != nil {
		return err
	}
	if err := r.connect(ctx); err != nil {
		return err
	}
	r.publisher = publish.New(publish.Options{
		Nodes: r.cluster.URLs(), Streams: r.layout.Streams, Fault: r.control.Publish, Seed: r.Seed,
		Via: r.scenario.Via, Redis: r.redis,
	})
	return r.fleet.Until(ctx, func(s lab.Status) bool { return s.Joined == r.Clients })
}

func (r *run) stop() {
	if r.fleet != nil {
		r.fleet.Close()
	}
	if r.redis != nil {
		r.redis.Close()
	}
	r.cluster.Close()
}

// happen lets messages flow, and the fault happen.
func (r *run) happen(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	flowing := make(chan struct{})
	running.Go(func() {
		defer close(flowing)
		each := (r.Messages + len(r.layout.busy) - 1) / len(r.layout.busy)
		r.publisher.Run(ctx, r.layout.busy, each, r.over())
	})
	if err := lab.Pause(ctx, lead); err != nil {
		return err
	}
	if r.control.Trim {
		running.Go(func() { r.trimOn(ctx) })
	}
	running.Go(func() {
		_ = lab.Pause(ctx, 100*time.Millisecond) // by then it has happened
		r.publisher.Run(ctx, r.layout.quiet, quietMessages, quietOver)
	})
	if err := r.scenario.Fault(ctx, r.cluster); err != nil {
		return fmt.Errorf("fault: %w", err)
	}
	<-flowing
	// A control that trims goes on until clients had the time to notice.
	return lab.Pause(ctx, time.Second)
}

func (r *run) over() time.Duration {
	if !r.Hasty {
		return r.scenario.Over
	}
	return max(r.scenario.Over/2, r.scenario.Over-10*time.Second)
}

// trimOn empties the log of the bus until ctx ends.
func (r *run) trimOn(ctx context.Context) {
	for lab.Pause(ctx, 50*time.Millisecond) == nil {
		_ = r.cluster.EmptyLog(ctx) // Redis may be away
	}
}

const (
	// stillTime is without any message; then nothing more is awaited. It is longer
	// than the heartbeat: a client whose WebSocket is cut while it upgrades to it
	// does not poll any more, and notices only by that.
	stillTime = 50 * time.Second
	// controlTime is enough where something has to be missing.
	controlTime = 8 * time.Second
	// afterTime is waited for what should not come any more.
	afterTime = time.Second
)

// settle waits until all have what they must get, or nothing comes any more.
func (r *run) settle(ctx context.Context) (account.Report, error) {
	last, since, patience := -1, time.Now(), stillTime
	if r.control.Shows != nil {
		patience = controlTime
	}
	for {
		report, err := r.account()
		if err != nil {
			return report, err
		}
		status, _ := r.fleet.Status()
		if status.Received != last {
			last, since = status.Received, time.Now()
		}
		isWhole := report.Lost == 0 && report.Absent == 0
		if isWhole || time.Since(since) > patience {
			break
		}
		if err := lab.Pause(ctx, time.Second); err != nil {
			return report, errors.Join(err, errors.New("messages do not come to an end"))
		}
	}
	if err := lab.Pause(ctx, afterTime); err != nil {
		return account.Report{}, err
	}
	report, err := r.account()
	if err == nil {
		err = r.letters(ctx, &report)
	}
	return report, err
}

func (r *run) account() (account.Report, error) {
	log, err := os.Open(r.fleet.Log)
	if err != nil {
		return account.Report{}, err
	}
	defer log.Close()
	book := account.NewBook(r.layout.Plan, r.publisher.Sent())
	if err := account.Read(log, book.Enter); err != nil {
		return account.Report{}, err
	}
	return book.Settle(), nil
}
