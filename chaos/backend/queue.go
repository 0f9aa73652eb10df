package backend

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"github.com/seed-09a96375/belfry/chaos/lab"
)

// consumers share the queue.
const consumers = 4

// queueRun is one experiment.
type queueRun struct {
	Options
	cluster   *lab.Cluster
	consumers []*lab.Child
	logs      []string
	clients   *lab.Fleet
}

func runQueue(ctx context.Context, o Options, broken bool) (Report, error) {
	r := &queueRun{Options: o}
	defer r.stop()
	if err := r.start(ctx, broken); err != nil {
		return Report{}, err
	}
	if err := r.happen(ctx); err != nil {
		return Report{}, fmt.Errorf("fault: %w", err)
	}
	if err := r.drain(ctx); err != nil {
		return Report{}, err
	}
	return r.account(ctx)
}

func queueConfig(broken bool) string {
	id := `    id: "{args.0.id}"`
	if broken {
		id = "    # no id"
	}
	return joined(
		"queues:",
		"  - name: "+Queue,
		"    groups: ["+Group+"]",
		"routes:",
		"  - event: order",
		"    queue: "+Queue,
		`    key: "{args.0.key}"`,
		id,
	)
}

func (r *queueRun) start(ctx context.Context, broken bool) (err error) {
	if r.cluster, err = startCluster(ctx, r.Options, queueConfig(broken)); err != nil {
		return err
	}
	for i := range consumers {
		name := fmt.Sprint("consumer-", i+1)
		log := filepath.Join(r.Dir, name+".txt")
		argv := []string{r.Consumer, "-redis", r.cluster.Redis.URL(), "-name", name, "-log", log}
		if broken {
			argv = append(argv, "-broken")
		}
		c := lab.NewChild(r.Dir, name, argv...)
		r.consumers, r.logs = append(r.consumers, c), append(r.logs, log)
		if err := c.Start(); err != nil {
			return err
		}
	}
	r.clients, err = startClients(r.Options, r.cluster.Nginx.URL)
	return err
}

// startClients has events sent until all are acked.
func startClients(o Options, url string) (*lab.Fleet, error) {
	return lab.StartScript(o.Dir, o.Script, map[string]any{
		"url": url, "clients": o.Clients, "each": o.each(), "over": o.over().Milliseconds(),
		"timeout": 3000, "again": againEvery,
	})
}

// againEvery is of how many events one is sent again although it was acked.
const againEvery = 50

func (r *queueRun) stop() {
	if r.clients != nil {
		r.clients.Close()
	}
	for _, c := range r.consumers {
		c.Kill()
	}
	if r.cluster != nil {
		r.cluster.Close()
	}
}

// happen does to the cluster what happens to clusters, in turn.
func (r *queueRun) happen(ctx context.Context) error {
	if err := r.clients.Until(ctx, func(s lab.Status) bool { return s.Acked > r.Clients }); err != nil {
		return err
	}
	for round := range r.rounds() {
		for _, fault := range r.faults(round) {
			if err := errors.Join(lab.Pause(ctx, 700*time.Millisecond), fault(ctx)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *queueRun) rounds() int {
	if r.Hasty {
		return 1
	}
	return 3
}

func (r *queueRun) faults(round int) []func(context.Context) error {
	at := func(i int) int { return (round + i) % consumers }
	node := func(i int) *lab.Node { return r.cluster.Nodes[(round+i)%lab.Nodes] }
	return []func(context.Context) error{
		func(ctx context.Context) error { return r.killConsumer(ctx, at(0)) },
		func(ctx context.Context) error { return r.freezeConsumer(ctx, at(1)) },
		func(ctx context.Context) error { return r.killNode(ctx, node(0)) },
		func(ctx context.Context) error { return r.killConsumer(ctx, at(3)) },
		r.killRedis,
		func(context.Context) error { return r.consumers[at(2)].Restart(patience) },
		func(ctx context.Context) error { return node(1).Restart(ctx) },
	}
}

const (
	// away is how long what was killed stays away.
	away = 500 * time.Millisecond
	// frozen is longer than consumers may give no sign of life.
	frozen = 3200 * time.Millisecond
	// patience is for what ends in an orderly way.
	patience = 20 * time.Second
)

func (r *queueRun) killConsumer(ctx context.Context, i int) error {
	r.consumers[i].Kill()
	return errors.Join(lab.Pause(ctx, away), r.consumers[i].Start())
}

func (r *queueRun) killNode(ctx context.Context, n *lab.Node) error {
	n.Kill()
	return errors.Join(lab.Pause(ctx, away), n.Run(ctx))
}

func (r *queueRun) killRedis(ctx context.Context) error {
	r.cluster.Redis.Kill()
	return errors.Join(lab.Pause(ctx, away), r.cluster.Redis.Run(ctx))
}

// freezeConsumer lets its events be reclaimed, and itself go on with them.
func (r *queueRun) freezeConsumer(ctx context.Context, i int) error {
	r.consumers[i].Signal(syscall.SIGSTOP)
	err := lab.Pause(ctx, frozen)
	r.consumers[i].Signal(syscall.SIGCONT)
	return err
}

// drain waits until all events are acked to the clients, and the group is done.
func (r *queueRun) drain(ctx context.Context) error {
	all := r.Clients * r.each()
	if err := r.clients.Until(ctx, func(s lab.Status) bool { return s.Acked == all }); err != nil {
		return err
	}
	if err := lab.Until(ctx, "the queue is not empty", r.isEmpty); err != nil {
		return err
	}
	for _, c := range r.consumers {
		if err := c.Stop(patience); err != nil {
			return err
		}
	}
	return nil
}

// isEmpty reports whether the group has nothing left: nothing that waits, and nothing
// pending.
func (r *queueRun) isEmpty(ctx context.Context) (bool, error) {
	lag, pending, err := r.cluster.Redis.Group(ctx, streamKey, Group)
	return err == nil && lag == 0 && pending == 0, err
}

const streamKey = "belfry:queue:{" + Queue + "}"

func (r *queueRun) account(ctx context.Context) (Report, error) {
	s, err := readSent(r.clients.Log)
	if err != nil {
		return Report{}, err
	}
	lines, err := readLines(r.logs)
	if err != nil {
		return Report{}, err
	}
	texts, err := r.cluster.Redis.List(ctx, Effects)
	if err != nil {
		return Report{}, err
	}
	effects, err := effectsOf(texts, lines)
	if err != nil {
		return Report{}, err
	}
	report := settle(s, lines, effects, r.each())
	report.Letters, err = r.cluster.Redis.Number(ctx, "XLEN", streamKey+":dead")
	return report, err
}
