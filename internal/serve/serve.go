// Package serve is `belfry serve`: one node, alone or in a cluster.
//
//	start    listen → answer /healthz/ → connect to the bus → serve clients
//	stop     not ready → wait for load balancers → move clients, paced → close
//	         sessions → leave the cluster → end the HTTP server
package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/internal/access"
	"github.com/seed-09a96375/belfry/internal/backplane"
	"github.com/seed-09a96375/belfry/internal/cluster"
	"github.com/seed-09a96375/belfry/internal/health"
	"github.com/seed-09a96375/belfry/internal/reclaim"
	"github.com/seed-09a96375/belfry/poll"
)

// Run runs the node until ctx ends, and then stops it gracefully, which is no
// error. If the address cannot be had the error is a *cluster.ListenError, if the
// bus cannot be used a *backplane.Error.
func Run(ctx context.Context, o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	o = o.withDefaults()
	limit, err := poll.RaiseFileLimit()
	if err != nil {
		return err
	}
	listeners, err := cluster.Listen(ctx, o.Listen, 1)
	if err != nil {
		return err
	}
	watched, err := listenWatch(ctx, o)
	if err != nil {
		return errors.Join(err, listeners[0].Close())
	}
	n := newNode(o, listeners[0])
	defer n.watch(watched)()
	n.log.Info("listening", "url", "http://"+n.listener.Addr().String()+o.Path, "descriptors", limit)
	return n.run(ctx)
}

// node is a node from its start to its stop.
type node struct {
	o        Options
	log      *slog.Logger
	listener net.Listener
	web      *http.Server
	health   http.Handler
	meters   *meters
	places   *poll.Places // of clients

	// What start makes, in its order; stop ends it in the reverse order.
	bus   *backplane.Bus
	auth  *auth.Authenticator // nil: nobody is known
	guard *access.Guard
	// queues are nil until they are open.
	queues   *queues
	webhooks webhooks
	topics   topics
	archive  *keeper // nil: there is none
	routes   *routes
	sources  sources

	fronts   atomic.Pointer[fronts] // nil while starting
	stopping atomic.Bool
	draining atomic.Bool
}

func newNode(o Options, listener net.Listener) *node {
	n := &node{o: o, log: o.Logger, listener: listener}
	n.places = poll.NewPlaces(engineio.ConnectionLimit(o.MaxConnections))
	n.health, n.meters = health.Handler(n.ready, n.warnings), newMeters(n)
	mux := http.NewServeMux()
	mux.Handle(health.Path, n.health)
	n.mount(mux)
	n.web = cluster.NewHTTPServer(mux)
	n.web.ErrorLog = slog.NewLogLogger(n.log.Handler(), slog.LevelWarn)
	return n
}

func (n *node) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer reclaim.Start(ctx)()
	failed := make(chan error, 1)
	go func() {
		defer cancel()
		failed <- n.web.Serve(n.listener)
	}()
	err := n.live(ctx)
	err = errors.Join(err, n.web.Close())
	if e := <-failed; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(fmt.Errorf("serve HTTP: %w", e), err)
	}
	if err == nil {
		n.log.Info("stopped")
	}
	return err
}

// live is all that a node does.
func (n *node) live(ctx context.Context) error {
	err := n.start(ctx)
	switch {
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return nil // stopped before it was there
	case err != nil:
		return err
	}
	<-ctx.Done()
	return n.stop(context.WithoutCancel(ctx))
}

// warnings are what no other node does better.
func (n *node) warnings() []string {
	if n.fronts.Load() == nil {
		return nil
	}
	return n.sourceTrouble()
}

// ready tells load balancers whether to send clients here.
func (n *node) ready() (ok bool, reasons []string) {
	f := n.fronts.Load()
	if f == nil {
		return false, []string{"starting"}
	}
	if n.stopping.Load() {
		reasons = append(reasons, "stopping")
	}
	_, more := f.io.Health()
	reasons = append(append(reasons, more...), n.queues.reasons()...)
	return len(reasons) == 0, reasons
}
