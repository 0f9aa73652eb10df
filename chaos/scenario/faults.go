package scenario

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/seed-09a96375/belfry/chaos/lab"
)

func calm(context.Context, *lab.Cluster) error { return nil }

// secondDrop is when all are back: nginx avoids servers that failed for a while.
const secondDrop = 8 * time.Second

func dropTwice(ctx context.Context, c *lab.Cluster) error {
	if err := c.DropClients(ctx); err != nil {
		return err
	}
	if err := lab.Pause(ctx, secondDrop); err != nil {
		return err
	}
	return c.DropClients(ctx)
}

// flap drops clients again while they are coming back, halfway at any step of it.
func flap(ctx context.Context, c *lab.Cluster) error {
	for range 12 {
		if err := errors.Join(c.DropClients(ctx), lab.Pause(ctx, 650*time.Millisecond)); err != nil {
			return err
		}
	}
	return nil
}

func terminate(ctx context.Context, c *lab.Cluster) error { return c.Nodes[0].Restart(ctx) }

func kill(ctx context.Context, c *lab.Cluster) error {
	c.Nodes[0].Kill()
	if err := lab.Pause(ctx, 2*time.Second); err != nil {
		return err
	}
	return c.Nodes[0].Run(ctx)
}

// killAll kills one node after the other. Each is back, and its clients have
// moved, before the next is killed.
func killAll(ctx context.Context, c *lab.Cluster) error {
	for _, n := range c.Nodes {
		n.Kill()
		if err := lab.Pause(ctx, time.Second); err != nil {
			return err
		}
		if err := n.Run(ctx); err != nil {
			return err
		}
		if err := lab.Pause(ctx, 3*time.Second); err != nil {
			return err
		}
	}
	return nil
}

func rolling(ctx context.Context, c *lab.Cluster) error {
	for _, n := range c.Nodes {
		if err := n.Restart(ctx); err != nil {
			return err
		}
		if err := lab.Pause(ctx, 3*time.Second); err != nil {
			return err
		}
	}
	return nil
}

func cutLink(d time.Duration) func(context.Context, *lab.Cluster) error {
	return func(ctx context.Context, c *lab.Cluster) error {
		link := c.Nodes[0].Link
		link.Cut()
		return errors.Join(lab.Pause(ctx, d), link.Mend())
	}
}

// cutAndDrop lets clients come back to a node that cannot reach Redis.
func cutAndDrop(ctx context.Context, c *lab.Cluster) error {
	link := c.Nodes[0].Link
	link.Cut()
	err := c.DropClients(ctx)
	return errors.Join(err, lab.Pause(ctx, 4*time.Second), link.Mend())
}

func deafen(_ context.Context, c *lab.Cluster) error {
	c.Nodes[0].Link.Deafen()
	return nil
}

// restartRedis lets one node come back to it later than the others, so that it has
// to repair what they published meanwhile.
func restartRedis(ctx context.Context, c *lab.Cluster) error {
	link := c.Nodes[0].Link
	link.Cut()
	c.Redis.Kill()
	err := errors.Join(lab.Pause(ctx, 500*time.Millisecond), c.Redis.Run(ctx), lab.Pause(ctx, 700*time.Millisecond))
	return errors.Join(err, link.Mend())
}

// restartRedisAndDrop lets clients come back while Redis is away. It comes back
// with another epoch: nobody can know whether it lost something.
func restartRedisAndDrop(ctx context.Context, c *lab.Cluster) error {
	c.Redis.Kill()
	err := errors.Join(c.DropClients(ctx), lab.Pause(ctx, 3*time.Second))
	return errors.Join(err, c.Redis.Run(ctx))
}

// freezeRedis lets clients come back while Redis stands still.
func freezeRedis(ctx context.Context, c *lab.Cluster) error {
	c.Redis.Signal(syscall.SIGSTOP)
	err := errors.Join(c.DropClients(ctx), lab.Pause(ctx, 4*time.Second))
	c.Redis.Signal(syscall.SIGCONT)
	return err
}

func failover(ctx context.Context, c *lab.Cluster) error {
	c.Watched.Master.Kill()
	return c.Watched.TakenOver(ctx)
}

// failoverLossy lets the replica stand still, and cuts its link at the master's
// end, so that nothing waits for it to wake up: it never sees the last writes. A
// node does not hear of them either, as it stands still and has lost its
// subscription.
func failoverLossy(ctx context.Context, c *lab.Cluster) error {
	w, deaf := c.Watched, c.Nodes[0]
	w.Replica.Signal(syscall.SIGSTOP)
	deaf.Signal(syscall.SIGSTOP)
	var errs []error
	for _, kind := range []string{"replica", "pubsub"} {
		_, err := w.Master.Ask(ctx, "CLIENT", "KILL", "TYPE", kind)
		errs = append(errs, err)
	}
	errs = append(errs, lab.Pause(ctx, 700*time.Millisecond))
	w.Master.Kill()
	w.Replica.Signal(syscall.SIGCONT)
	deaf.Signal(syscall.SIGCONT)
	return errors.Join(append(errs, w.TakenOver(ctx))...)
}

func trim(ctx context.Context, c *lab.Cluster) error {
	link := c.Nodes[0].Link
	link.Cut()
	err := lab.Pause(ctx, time.Second)
	return errors.Join(err, c.EmptyLog(ctx), link.Mend())
}

func freeze(d time.Duration) func(context.Context, *lab.Cluster) error {
	return func(ctx context.Context, c *lab.Cluster) error {
		c.Nodes[0].Signal(syscall.SIGSTOP)
		err := lab.Pause(ctx, d)
		c.Nodes[0].Signal(syscall.SIGCONT)
		return err
	}
}

func freezeAndMove(ctx context.Context, c *lab.Cluster) error {
	n := c.Nodes[0]
	n.Signal(syscall.SIGSTOP)
	n.Front.Cut()
	err := lab.Pause(ctx, 8*time.Second)
	n.Signal(syscall.SIGCONT)
	return errors.Join(err, n.Front.Mend())
}
