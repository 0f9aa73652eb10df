package scenario

import (
	"context"
	"errors"
	"time"

	"github.com/seed-09a96375/belfry/chaos/account"
	"github.com/seed-09a96375/belfry/chaos/lab"
	"github.com/seed-09a96375/belfry/chaos/publish"
	"github.com/seed-09a96375/belfry/redisconn"
)

// What is particular to the scenarios with belfry serve: the ways by which messages
// come from backends.

// The controls of the ways: one that repeats without ids, and one that keeps nothing.
var (
	withoutIDs = Control{
		Publish: publish.NoIDs,
		Trace:   "duplicated", Shows: func(r account.Report) int { return r.Duplicated },
	}
	fromChannel = Control{
		Node: lab.Channel, Publish: publish.ByChannel,
		Trace: "lost", Shows: func(r account.Report) int { return r.Lost },
	}
)

// backTime is enough for clients to come back: they wait for up to 1.5 s, and a
// second time if they meet a node that is not there.
const backTime = 4 * time.Second

// everything kills a node, Redis, and another node, ends one in an orderly way, and
// has each come back. Clients are back in between, so that all have to be recovered.
func everything(ctx context.Context, c *lab.Cluster) error {
	for _, do := range []func(context.Context) error{
		func(ctx context.Context) error { return killed(ctx, c.Nodes[0]) },
		func(ctx context.Context) error { return restartRedis(ctx, c) },
		c.Nodes[1].Restart,
		func(ctx context.Context) error { return killed(ctx, c.Nodes[2]) },
	} {
		if err := errors.Join(do(ctx), lab.Pause(ctx, backTime)); err != nil {
			return err
		}
	}
	return nil
}

func killed(ctx context.Context, n *lab.Node) error {
	n.Kill()
	return errors.Join(lab.Pause(ctx, 500*time.Millisecond), n.Run(ctx))
}

// connect opens the connection by which entries are added.
func (r *run) connect(ctx context.Context) (err error) {
	if r.scenario.Via == publish.ByStream {
		r.redis, err = redisconn.Options{URL: r.cluster.Redis.URL(), Name: "chaos"}.Open(ctx)
	}
	return err
}

// letters counts what the source has put aside.
func (r *run) letters(ctx context.Context, report *account.Report) (err error) {
	if r.scenario.Via != publish.ByStream || r.control.Shows != nil {
		return nil
	}
	report.Poison = r.publisher.Poisoned()
	report.Letters, err = r.cluster.Redis.Number(ctx, "XLEN", "{"+publish.Source+"}:dead")
	return err
}
