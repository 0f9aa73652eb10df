// Package demo is `belfry demo`: a chat, a room to share a screen in, orders that
// backends handle, and trucks on a map, on a few nodes in one process, with pages that
// show what happens, and one that leads to them.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive/postgres"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/examples/fleet"
	"github.com/seed-09a96375/belfry/examples/look"
	"github.com/seed-09a96375/belfry/examples/meet"
	"github.com/seed-09a96375/belfry/internal/backplane"
	"github.com/seed-09a96375/belfry/internal/cluster"
	"github.com/seed-09a96375/belfry/internal/health"
	"github.com/seed-09a96375/belfry/kafkaconn"
	"github.com/seed-09a96375/belfry/socketio"
)

// Options of a demo. The zero value is ready for use.
type Options struct {
	// Nodes is their number, MaxNodes at most. Default 2.
	Nodes int
	// Listen is the address of the first node; the others take the ports that
	// follow. With port 0 each takes one that is free. Default 127.0.0.1:3000.
	Listen string
	// Backends is how many handle orders, MaxBackends at most. Default 2; -1: none.
	Backends int
	// Trucks is how many drive over the map of the fleet. Default 200; -1: none.
	Trucks int
	// Kafka is the URL of a cluster that messages of the chat, readings of trucks and
	// orders of the fleet go through. Default: none; messages of the chat wait in a
	// stream of the bus' Redis if there is one and Postgres, else in memory.
	Kafka string
	// Postgres is the URL of the database that keeps messages, alerts and orders.
	// Default: SQLite files that are gone when the demo stops.
	Postgres string
	// Mail is a URL that gets a POST for each critical alert of the fleet. Default:
	// nobody does.
	Mail string
	// Bus joins the nodes, and with a URL those of other processes. Recovery in it
	// has the default 2 minutes.
	Bus backplane.Options
	// Open shows the first node's page in the user's browser.
	Open bool
	// Out gets what there is to tell the user. Default: nothing.
	Out io.Writer
	// Logger gets what an operator should see. Default slog.Default().
	Logger *slog.Logger
}

const (
	MaxNodes    = 9 // MaxNodes is the most nodes that a demo has.
	MaxBackends = 9 // MaxBackends is the most backends that it has.
)

func (o Options) withDefaults() Options {
	if o.Nodes == 0 {
		o.Nodes = 2
	}
	if o.Backends == 0 {
		o.Backends = 2
	}
	if o.Trucks == 0 {
		o.Trucks = 200
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:3000"
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Bus.Recovery == 0 {
		o.Bus.Recovery = 2 * time.Minute
	}
	o.Bus.Logger = o.Logger
	return o
}

// Validate names the option that cannot work.
func (o Options) Validate() error {
	if o.Nodes < 0 || o.Nodes > MaxNodes {
		return fmt.Errorf("demo: Options.Nodes is %d: must be between 1 and %d, or 0 for the default", o.Nodes, MaxNodes)
	}
	if o.Kafka != "" && (kafkaconn.Options{URL: o.Kafka}).Validate() != nil {
		return errors.New("demo: Options.Kafka is no URL like kafka://host:9092")
	}
	if o.Postgres != "" && (postgres.Options{URL: o.Postgres}).Validate() != nil {
		return errors.New("demo: Options.Postgres is no URL like postgres://user@host/database")
	}
	if o.Mail != "" && !isWeb(o.Mail) {
		return errors.New("demo: Options.Mail is no URL like http://host/path")
	}
	if o.Backends < -1 || o.Backends > MaxBackends {
		return fmt.Errorf("demo: Options.Backends is %d: must be between 1 and %d, -1 for none, or 0 for the default", o.Backends, MaxBackends)
	}
	if o.Trucks < -1 || o.Trucks > fleet.MaxTrucks {
		return fmt.Errorf("demo: Options.Trucks is %d: must be between 1 and %d, -1 for none, or 0 for the default", o.Trucks, fleet.MaxTrucks)
	}
	return nil
}

func isWeb(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// Run serves the demo until ctx ends, which is no error. If an address cannot be
// had the error is a *cluster.ListenError, if the bus cannot be used a
// *backplane.Error, if Kafka or PostgreSQL cannot a *ServiceError.
func Run(ctx context.Context, o Options) (err error) {
	if err := o.Validate(); err != nil {
		return err
	}
	o = o.withDefaults()
	listeners, err := cluster.Listen(ctx, o.Listen, o.Nodes)
	if err != nil {
		return err
	}
	if err := o.reach(ctx); err != nil {
		return errors.Join(err, cluster.Discard(nil, listeners))
	}
	bus, err := backplane.Open(ctx, o.Bus)
	if err != nil {
		return errors.Join(err, cluster.Discard(nil, listeners))
	}
	defer bus.Close()
	shared, err := newShared(ctx, o, "http://"+cluster.Reachable(listeners[0].Addr()))
	if err != nil {
		return errors.Join(err, cluster.Discard(nil, listeners))
	}
	defer func() { err = errors.Join(err, shared.fleet.close(), shared.chat.close()) }()
	nodes, err := newNodes(ctx, o, bus, shared, listeners)
	if err != nil {
		return err
	}
	o.greet(ctx, listeners, clientBundle() != nil && stompBundle() != nil && leaflet() != nil)
	err = run(ctx, nodes, func(ctx context.Context) error { return shared.run(ctx, o) })
	if err == nil {
		fmt.Fprintln(o.Out, "Stopped.")
	}
	return err
}

// shared is what applications have for all nodes.
type shared struct {
	chat   *talking
	orders *ordering
	fleet  *trucking
}

// newShared makes it; api is the base URL of the first node.
func newShared(ctx context.Context, o Options, api string) (*shared, error) {
	orders, err := newOrdering(o, api)
	if err != nil {
		return nil, err
	}
	talk, err := newTalking(ctx, o)
	if err != nil {
		return nil, err
	}
	trucks, err := newTrucking(ctx, o)
	if err != nil {
		return nil, errors.Join(err, talk.close())
	}
	return &shared{talk, orders, trucks}, nil
}

// run runs what works beside the nodes until ctx ends.
func (s *shared) run(ctx context.Context, o Options) error {
	errs := make([]error, 3)
	var all sync.WaitGroup
	all.Go(func() { errs[0] = s.orders.run(ctx, o.Backends, o.Logger) })
	all.Go(func() { errs[1] = s.fleet.run(ctx, o.Logger) })
	all.Go(func() { errs[2] = s.chat.run(ctx) })
	all.Wait()
	return errors.Join(errs...)
}

// run serves the nodes until ctx ends or one of them fails. The backends run as
// long; they end before the nodes do, which they publish by.
func run(ctx context.Context, nodes []cluster.Node, backends func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	failed := make(chan error, 1)
	go func() {
		defer stop()
		err := backends(ctx)
		if err == nil {
			<-ctx.Done()
		}
		failed <- err
	}()
	err := cluster.Serve(serving, nodes)
	cancel()
	return errors.Join(err, <-failed)
}

// newNodes puts a server behind each listener, all on one bus. On an error
// nothing is left open.
func newNodes(ctx context.Context, o Options, bus belfry.Bus, shared *shared, listeners []net.Listener) ([]cluster.Node, error) {
	f := newFacts(o, listeners, shared.chat.kept, shared.fleet.options.Page.Source)
	all := make([]cluster.Node, 0, len(listeners))
	for i, ln := range listeners {
		n, err := newNode(ctx, o, bus, shared, f, ln.Addr(), i)
		if err != nil {
			return nil, errors.Join(err, cluster.Discard(all, listeners))
		}
		n.Listener = ln
		all = append(all, n)
	}
	return all, nil
}

func newNode(ctx context.Context, o Options, bus belfry.Bus, shared *shared, f facts, at net.Addr, i int) (cluster.Node, error) {
	f.Node = f.Nodes[i].Name
	log := o.Logger.With("node", f.Node)
	srv, err := newServer(o, bus, belfry.NodeID(f.Node), at, log)
	if err != nil {
		return cluster.Node{}, fmt.Errorf("start %s: %w", f.Node, err)
	}
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.Handle(health.Path, health.Handler(srv.Health))
	mux.Handle("GET /demo.json", secured(f))
	mux.Handle("/", secured(look.Files(below(startFiles, "start"))))
	var stops []func()
	for _, start := range applications() {
		stops = append(stops, start(srv, mux))
	}
	n := cluster.Node{Name: nodeName(i), Handler: mux}
	guests, err := shared.orders.start(ctx, srv, belfry.NodeID(f.Node), log, mux)
	if err == nil {
		var stop func()
		stop, err = shared.fleet.start(srv, f.Node, log, mux)
		stops = append(stops, stop)
	}
	if err == nil {
		var stop func()
		stop, err = shared.chat.start(srv, log, mux)
		stops = append(stops, stop)
	}
	n.Stop = func(ctx context.Context) error {
		var errs []error
		if guests != nil {
			errs = append(errs, guests.Close(ctx))
		}
		errs = append(errs, srv.Close(ctx))
		for _, stop := range stops {
			stop()
		}
		return errors.Join(errs...)
	}
	if err != nil {
		return cluster.Node{}, errors.Join(fmt.Errorf("start %s: %w", f.Node, err), n.Stop(ctx))
	}
	return n, nil
}

func newServer(o Options, bus belfry.Bus, id belfry.NodeID, at net.Addr, log *slog.Logger) (*socketio.Server, error) {
	return socketio.New(socketio.Options{
		Bus:          bus,
		Node:         id,
		Advertise:    "http://" + cluster.Reachable(at) + "/socket.io/",
		Recovery:     &socketio.Recovery{MaxDisconnection: o.Bus.Recovery},
		EngineIO:     engineio.Options{Origins: []string{}}, // its own pages, no other
		Presence:     meet.Keeps,
		Slow:         fleet.Slow,
		ClientBundle: clientBundle(),
		Logger:       log,
	})
}

// nodeIDs are the names of the nodes in the cluster. On a Redis there may be nodes
// of other processes.
func (o Options) nodeIDs() []belfry.NodeID {
	ids := make([]belfry.NodeID, o.Nodes)
	for i := range ids {
		ids[i] = belfry.NodeID(nodeName(i))
		if o.Bus.URL != "" {
			ids[i] = backplane.NodeID(nodeName(i))
		}
	}
	return ids
}

func nodeName(i int) string { return fmt.Sprintf("node-%d", i+1) }
