package chain

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry/chaos/lab"
)

const (
	// away is how long what was killed stays away, at least.
	away = 500 * time.Millisecond
	// patience is for what ends in an orderly way.
	patience = 30 * time.Second
	// answerTime is how long clients wait for an ack before they repeat.
	answerTime = 3 * time.Second
	// againEvery is of how many events one is sent again although it was acked.
	againEvery = 50
	// flowing is how many messages clients get, on average, before something happens to
	// them again: by then all know an offset of the epoch that Redis has.
	flowing = 8
	// calmTime is how long it may take until messages flow again after a fault: clients
	// wait for up to 5 s before they come back.
	calmTime = 15 * time.Second
)

// fault is something that happens, and is over when it returns.
type fault struct {
	name string
	do   func(ctx context.Context) error
}

// happen lets messages flow, as long as faults happen.
func (r *run) happen(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	flowed := make(chan struct{})
	running.Go(func() {
		defer close(flowed)
		r.feed.run(ctx, r.eachFeed(), r.over())
	})
	for _, f := range append(r.faults(), fault{"nothing", func(context.Context) error { return nil }}) {
		if err := r.flows(ctx); err != nil {
			return err
		}
		begin := time.Now()
		err := f.do(ctx)
		r.say("%s: %v", f.name, time.Since(begin).Round(time.Millisecond))
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	r.feed.enough.Store(true)
	if err := r.clients.Enough(); err != nil {
		return err
	}
	select {
	case <-flowed:
		return r.clients.Until(ctx, func(s lab.Status) bool { return s.Finished == r.Clients })
	case <-ctx.Done():
		return ctx.Err()
	}
}

// flows returns when all clients are there and get messages, or after calmTime: what
// follows may happen in any case.
func (r *run) flows(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, calmTime)
	defer cancel()
	begin, _ := r.clients.Status()
	err := r.clients.Until(bounded, func(s lab.Status) bool {
		return s.Connected == r.Clients && s.Joined == r.Clients && s.Received >= begin.Received+flowing*r.Clients
	})
	if err != nil {
		r.say("messages do not flow: %v", err)
	}
	return ctx.Err()
}

func (o Options) rounds() int {
	if o.Hasty {
		return 1
	}
	return lab.Nodes
}

// faults are those of the run, in turn.
func (r *run) faults() (all []fault) {
	if r.broken {
		return r.brokenFaults()
	}
	for round := range r.rounds() {
		all = append(all, r.round(round)...)
	}
	return all
}

// round has each fault once, with other nodes and archivers than the one before.
func (r *run) round(n int) []fault {
	node := func(i int) int { return (n + i) % lab.Nodes }
	archiver := func(i int) *lab.Child { return r.archivers[(n+i)%archivers] }
	return []fault{
		{"drop the clients", r.cluster.DropClients},
		{"a node joins", r.join},
		{"kill Kafka", r.killKafka},
		{"kill a node", func(ctx context.Context) error { return r.killNode(ctx, r.cluster.Nodes[node(0)]) }},
		{"kill an archiver", func(ctx context.Context) error { return killed(ctx, archiver(0)) }},
		{"kill Redis", r.killRedis},
		{"a node leaves", func(context.Context) error { return r.guest.Leave() }},
		{"kill PostgreSQL", r.killPostgres},
		{"restart a node", r.cluster.Nodes[node(1)].Restart},
		{"restart an archiver", func(context.Context) error { return archiver(1).Restart(patience) }},
	}
}

// brokenFaults are those of the control: what is killed comes again under another id, or
// as another row, and somebody is done with records that are no rows.
func (r *run) brokenFaults() []fault {
	return []fault{
		{"the groups settle", r.settled},
		{"kill a node", func(ctx context.Context) error { return r.killNode(ctx, r.cluster.Nodes[0]) }},
		{"kill an archiver", func(ctx context.Context) error { return killed(ctx, r.archivers[0]) }},
		{"the groups settle", r.settled},
		{"kill a node", func(ctx context.Context) error { return r.killNode(ctx, r.cluster.Nodes[1]) }},
		{"kill an archiver", func(ctx context.Context) error { return killed(ctx, r.archivers[1]) }},
		{"skip records", r.skip},
	}
}

func (r *run) join(ctx context.Context) (err error) {
	if r.guest != nil {
		return r.guest.Run(ctx) // under another name
	}
	r.guest, err = r.cluster.Join(ctx)
	return err
}

func (r *run) killKafka(ctx context.Context) error {
	r.kafka.Kill()
	return errors.Join(lab.Pause(ctx, away), r.kafka.Run())
}

func (r *run) killRedis(ctx context.Context) error {
	r.cluster.Redis.Kill()
	return errors.Join(lab.Pause(ctx, away), r.cluster.Redis.Run(ctx))
}

func (r *run) killPostgres(ctx context.Context) error {
	r.postgres.Kill()
	return errors.Join(lab.Pause(ctx, 4*away), r.postgres.Open())
}

func (r *run) killNode(ctx context.Context, n *lab.Node) error {
	n.Kill()
	return errors.Join(lab.Pause(ctx, away), n.Run(ctx))
}

func killed(ctx context.Context, c *lab.Child) error {
	c.Kill()
	return errors.Join(lab.Pause(ctx, away), c.Start())
}

// settled waits until who is in a group has something to do again: nothing that was done
// comes twice if whoever is killed had done nothing.
func (r *run) settled(ctx context.Context) error {
	if err := lab.Pause(ctx, 6*away); err != nil { // until the others are told who has come
		return err
	}
	err := lab.Until(ctx, "the groups do not settle", func(ctx context.Context) (bool, error) {
		nodes, err := r.topics.isSettled(ctx, nodeGroup, lab.Nodes)
		if !nodes {
			return false, err
		}
		return r.topics.isSettled(ctx, archiveGroup, archivers)
	})
	return errors.Join(err, lab.Pause(ctx, 4*away))
}

// skip ends the archivers and says of records that came meanwhile that they are done. The
// group has to be empty for that: one that was killed is in it for some seconds.
func (r *run) skip(ctx context.Context) error {
	var errs []error
	for _, a := range r.archivers {
		errs = append(errs, a.Stop(patience))
	}
	errs = append(errs, lab.Pause(ctx, 4*away), lab.Until(ctx, "the group does not end", func(ctx context.Context) (bool, error) {
		err := r.topics.skip(ctx, archiveGroup, events, feedTopic)
		return err == nil, err
	}))
	for _, a := range r.archivers {
		errs = append(errs, a.Start())
	}
	return errors.Join(errs...)
}
