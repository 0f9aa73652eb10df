package serve

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/queue/memory"
	"github.com/seed-09a96375/belfry/socketio"
)

// Guests are the fronts that a node has beside Socket.IO, its HTTP API, and its
// routes, sources and webhooks, on a server that is the caller's: for programs in which
// several applications share a server.
type Guests struct {
	n *node
	f *fronts
}

// Attach puts them beside io. They are closed before it. Of o count the paths but Path,
// the limits, Origins, PingInterval, Auth, Open, API, Queues, Webhooks, Routes, Bus,
// Node, Version and Logger. Events of Socket.IO that nothing else handles go to the
// routes. Without Bus.URL queues are those of local, by name, which all nodes of the
// process share, and there are no sources.
func Attach(ctx context.Context, io *socketio.Server, o Options, local map[string]*memory.Queue) (*Guests, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	n := &node{o: o, log: o.Logger}
	n.meters = newMeters(n)
	if o.Bus.URL == "" {
		n.o.Routes.Sources = nil
	}
	g := &Guests{n: n}
	if err := g.open(ctx, io, local); err != nil {
		return nil, errors.Join(err, g.Close(ctx))
	}
	return g, nil
}

func (g *Guests) open(ctx context.Context, io *socketio.Server, local map[string]*memory.Queue) error {
	n := g.n
	if err := n.openGuard(); err != nil {
		return err
	}
	if err := g.openQueues(ctx, local); err != nil {
		return err
	}
	if err := n.openWebhooks(ctx); err != nil {
		return err
	}
	router, err := n.openRouter(io.Hub().Space(namespace, hub.Hooks{}))
	if err != nil {
		return err
	}
	n.routes = newRoutes(router, n.guard)
	socketio.OnOther(io, n.routes.fromSocketIO)
	g.f = &fronts{io: io}
	if err := errors.Join(n.openSTOMP(g.f), n.openPlain(g.f), n.openAPI(g.f)); err != nil {
		return err
	}
	n.runWebhooks(ctx)
	if err := n.runSources(ctx, router); err != nil {
		return err
	}
	n.fronts.Store(g.f)
	return nil
}

func (g *Guests) openQueues(ctx context.Context, local map[string]*memory.Queue) (err error) {
	if g.n.o.Bus.URL != "" {
		g.n.queues, err = g.n.openQueues(ctx)
		return err
	}
	g.n.queues = &queues{byName: make(map[string]queue)}
	for name, q := range local {
		g.n.queues.put(&counted{name: name, queue: q, memory: q})
	}
	return nil
}

// Mount puts what they answer at its paths.
func (g *Guests) Mount(mux *http.ServeMux) { g.n.mount(mux) }

// Close ends all of them. Clients that have not gone when ctx ends are cut off.
func (g *Guests) Close(ctx context.Context) error {
	n := g.n
	n.stopping.Store(true)
	n.stopSources()
	var err error
	if g.f != nil {
		err = g.f.closeGuests(ctx)
	}
	n.letGo()
	return err
}
