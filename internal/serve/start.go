package serve

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/internal/access"
	"github.com/seed-09a96375/belfry/internal/backplane"
	"github.com/seed-09a96375/belfry/socketio"
)

// start joins the cluster and serves clients from then on.
func (n *node) start(ctx context.Context) error {
	bus, err := backplane.Open(ctx, n.o.Bus)
	if err != nil {
		return err
	}
	n.bus = bus
	if err := n.open(ctx); err != nil {
		n.letGo()
		return err
	}
	n.log.Info("ready", "cluster", n.o.Bus.URL != "", "advertise", n.o.advertised(n.listener.Addr()), "recovery", n.o.Recovery.String())
	return nil
}

// open makes what clients come by. If it fails no front is left open.
func (n *node) open(ctx context.Context) error {
	if n.o.Open {
		n.log.Warn("open: every client may join any room and send to it; leave --open out where others can connect")
	}
	if err := n.openGuard(); err != nil {
		return err
	}
	var err error
	if n.queues, err = n.openQueues(ctx); err != nil {
		return err
	}
	if err := errors.Join(n.openWebhooks(ctx), n.openArchive(ctx)); err != nil {
		return err
	}
	io, err := n.attach(ctx, n.bus)
	if err != nil {
		return err
	}
	f, err := n.openFronts(ctx, io)
	if err != nil {
		return errors.Join(err, io.Close(ctx))
	}
	n.runWebhooks(ctx)
	if err := n.runSources(ctx, n.routes.router); err != nil {
		return errors.Join(err, f.close(ctx))
	}
	n.fronts.Store(f)
	return nil
}

// openGuard makes what says who clients are, and what they may do.
func (n *node) openGuard() error {
	o := access.Options{Open: n.o.Open, Logger: n.log}
	if n.o.Auth != nil {
		known := *n.o.Auth
		known.Logger = n.log
		var err error
		if n.auth, err = auth.New(known); err != nil {
			return err
		}
		if n.o.guarded() {
			o.Auth = n.auth
		}
	}
	n.guard = access.New(o)
	return nil
}

// letGo ends what the fronts were made on.
func (n *node) letGo() {
	n.stopWebhooks()
	if n.routes != nil {
		n.routes.wait()
	}
	n.closeTopics()
	n.closeArchive()
	if n.queues != nil {
		n.queues.close()
	}
	if n.guard != nil {
		n.guard.Close()
	}
	if n.auth != nil {
		n.auth.Close()
	}
	if n.bus != nil {
		n.bus.Close()
	}
}

const (
	// attachTime is longer than the lease of a node that was killed: started
	// again under the same name it has to wait for its end.
	attachTime  = 20 * time.Second
	attachPause = time.Second
)

// attach makes the server, and with it the link to the bus.
func (n *node) attach(ctx context.Context, bus belfry.Bus) (*socketio.Server, error) {
	late := time.After(attachTime)
	o := n.o.server(bus, n.listener.Addr())
	o.EngineIO.Places = n.places
	for {
		srv, err := socketio.New(o)
		if err == nil {
			return srv, nil
		}
		if !errors.Is(err, belfry.ErrUnavailable) {
			return nil, err
		}
		n.log.Warn("cannot join the cluster yet", "err", err)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-late:
			return nil, &attachError{n.o.Node, err}
		case <-time.After(attachPause):
		}
	}
}

// attachError says that a node could not join its cluster.
type attachError struct {
	node belfry.NodeID
	err  error
}

// Error names the node.
func (e *attachError) Error() string {
	return fmt.Sprintf("node %s cannot join the cluster: %v", e.node, e.err)
}

// Unwrap returns the cause.
func (e *attachError) Unwrap() error { return e.err }

// Hint says what to do.
func (e *attachError) Hint() string {
	return "every node needs a --node of its own; without the flag it gets one. Else look at the log of Redis"
}
