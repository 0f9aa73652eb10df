package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/client"
	"github.com/seed-09a96375/belfry/examples/orders"
	"github.com/seed-09a96375/belfry/internal/config"
	"github.com/seed-09a96375/belfry/internal/serve"
	"github.com/seed-09a96375/belfry/queue/memory"
	"github.com/seed-09a96375/belfry/socketio"
)

// ordering is what the nodes of the demo share of examples/orders.
type ordering struct {
	options serve.Options
	api     string                   // base URL of the first node
	queues  map[string]*memory.Queue // by name; nil with a Redis
	keys    map[string]client.Queue  // the same, as backends call them
}

// newOrdering reads the configuration of the example: the demo has its queues, routes
// and sources. Who may do what is not asked here.
func newOrdering(o Options, api string) (*ordering, error) {
	loaded, err := config.New().Load(config.Sources{
		File:     "belfry.yaml",
		ReadFile: func(string) ([]byte, error) { return orders.Config, nil },
		Environ: func(name string) string {
			if name == "BELFRY_AUTH_SECRET" {
				return rand.Text() + rand.Text() // nobody has to know it
			}
			return ""
		},
	})
	if err != nil {
		return nil, fmt.Errorf("read the configuration of orders: %w", err)
	}
	d := &ordering{options: loaded.Serve, api: api}
	d.options.Bus, d.options.Auth, d.options.Open = o.Bus, nil, true
	d.options.Origins = []string{} // its own pages, no other
	if o.Bus.URL == "" {
		err = d.remember(o.Logger)
	}
	return d, err
}

// remember makes the queues in memory.
func (d *ordering) remember(log *slog.Logger) error {
	d.queues, d.keys = make(map[string]*memory.Queue), make(map[string]client.Queue)
	for _, each := range d.options.Queues {
		q, err := memory.New(memory.Options{Groups: each.Groups, Logger: log})
		if err != nil {
			return err
		}
		d.queues[each.Name], d.keys["key:"+each.Key] = q, q
	}
	return nil
}

// start serves the example on a node.
func (d *ordering) start(ctx context.Context, srv *socketio.Server, id belfry.NodeID, log *slog.Logger, mux *http.ServeMux) (*serve.Guests, error) {
	socketio.On(srv, "watch", func(_ context.Context, s *socketio.Socket, room belfry.Room) error {
		if !orders.Watched(room) {
			return fmt.Errorf("room %q is not one of orders", room)
		}
		return s.Join(room)
	})
	o := d.options
	o.Path, o.Node, o.Logger = "", id, log
	guests, err := serve.Attach(ctx, srv, o, d.queues)
	if err != nil {
		return nil, err
	}
	guests.Mount(mux)
	mux.Handle("/api/notification", secured(orders.Notifications(d.api)))
	mux.Handle("/orders/", secured(http.StripPrefix("/orders", orders.Page(stompBundle()))))
	return guests, nil
}

// leaveTime is how long a backend tries to publish what it has under way when the
// demo stops.
const leaveTime = 2 * time.Second

// run runs that many backends until ctx ends, and what they have under way.
func (d *ordering) run(ctx context.Context, n int, log *slog.Logger) error {
	if n < 1 {
		return nil
	}
	conn, err := d.options.Bus.Connection()
	if err != nil {
		return err
	}
	c, err := client.New(ctx, client.Options{
		Redis: conn.URL, TLS: conn.TLS, Prefix: d.options.Bus.Prefix, Queues: d.keys, API: d.api, PublishFor: leaveTime, Logger: log,
	})
	if err != nil {
		return fmt.Errorf("start the backends: %w", err)
	}
	defer c.Close()
	var all sync.WaitGroup
	for i := range n {
		b := &orders.Backend{Name: backendName(i), Client: c, Concurrency: 2, Logger: log}
		all.Go(func() {
			if err := b.Run(ctx); err != nil {
				log.Error("a backend ended", "backend", b.Name, "err", err)
			}
		})
	}
	all.Wait()
	return nil
}

func backendName(i int) string { return "backend-" + string(rune('A'+i)) }

// more is how to start one more backend, empty where there is no Redis to meet in.
func (o Options) more() string {
	u, err := url.Parse(o.Bus.URL)
	if err != nil || o.Bus.URL == "" {
		return ""
	}
	return "python3 examples/orders/backend.py --redis " + u.Redacted()
}
