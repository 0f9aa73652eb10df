package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive/postgres"
	"github.com/seed-09a96375/belfry/archive/sqlite"
	"github.com/seed-09a96375/belfry/examples/fleet"
	"github.com/seed-09a96375/belfry/kafkaconn"
	"github.com/seed-09a96375/belfry/queue/memory"
	"github.com/seed-09a96375/belfry/queue/redisstream"
	"github.com/seed-09a96375/belfry/socketio"
	"github.com/seed-09a96375/belfry/source/kafka"
)

// fleetSpace is the namespace of the dashboards: who is in it has logged in.
const fleetSpace = "/fleet"

// trucking is what the nodes of the demo share of examples/fleet.
type trucking struct {
	options   fleet.Options
	simulator *fleet.Simulator // nil: no trucks
	producer  *fleet.Producer  // nil: readings do not go by Kafka
	sources   []*kafka.Source  // then; one for each node
	nodes     []*fleet.Fleet
	ends      []func() error // in reverse order
}

// newTrucking opens what alerts and readings are kept in. After an error nothing is
// left open.
func newTrucking(ctx context.Context, o Options) (*trucking, error) {
	d := &trucking{options: fleet.Options{Secret: rand.Text() + rand.Text(), Risk: fleet.EstimateRisk}}
	err := errors.Join(d.admit(), d.keep(ctx, o), d.share(ctx, o), d.carry(o))
	if err == nil && o.Trucks > 0 {
		d.simulator, err = fleet.NewSimulator(fleet.SimulatorOptions{Trucks: o.Trucks})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the fleet: %w", err), d.close())
	}
	d.options.Report = func(ctx context.Context, r fleet.Reading) error { return d.report(ctx, []fleet.Reading{r}) }
	d.options.Page = fleet.PageInfo{
		Namespace: fleetSpace, Source: d.options.Page.Source, Demo: d.options.Page.Demo,
		Center:  fleet.Location{Lat: 46.77, Lng: 23.6},
		Links:   []fleet.Link{{Text: "chat", URL: "/"}, {Text: "meet", URL: "/meet/"}, {Text: "orders", URL: "/orders/"}},
		Leaflet: leaflet(),
	}
	return d, nil
}

// leaflet is the map library, nil if the program was built without it.
func leaflet() *fleet.Leaflet {
	l := &fleet.Leaflet{Script: bundle("leaflet.js"), Style: bundle("leaflet.css")}
	if l.Script == nil || l.Style == nil {
		return nil
	}
	return l
}

// admit makes users with passwords that hold until the demo stops; the page shows
// them.
func (d *trucking) admit() error {
	for _, u := range []fleet.DemoUser{
		{Name: "manager", Role: fleet.Manager},
		{Name: "north", Role: fleet.Pharmacist, Fleets: []string{"NORTH"}},
		{Name: "southwest", Role: fleet.Pharmacist, Fleets: []string{"SOUTH", "WEST"}},
	} {
		u.Password = strings.ToLower(rand.Text()[:10])
		hash, err := fleet.HashPassword(u.Password)
		if err != nil {
			return err
		}
		d.options.Page.Demo = append(d.options.Page.Demo, u)
		d.options.Users = append(d.options.Users, fleet.User{Name: u.Name, Hash: hash, Role: u.Role, Fleets: u.Fleets})
	}
	return nil
}

// keep opens the store of alerts: a table, or a file that is gone when the demo stops.
func (d *trucking) keep(ctx context.Context, o Options) error {
	if o.Postgres != "" {
		store, err := postgres.Open(ctx, postgres.Options{URL: o.Postgres, Table: "alerts", Logger: o.Logger})
		if err != nil {
			return err
		}
		d.ends = append(d.ends, func() error { store.Close(); return nil })
		d.options.Store, d.options.Page.Source = store, "alerts are kept in PostgreSQL."
		return nil
	}
	dir, err := os.MkdirTemp("", "belfry-demo-")
	if err != nil {
		return err
	}
	d.ends = append(d.ends, func() error { return os.RemoveAll(dir) })
	store, err := sqlite.Open(ctx, sqlite.Options{File: filepath.Join(dir, "alerts.db"), Logger: o.Logger})
	if err != nil {
		return err
	}
	d.ends = append(d.ends, store.Close)
	d.options.Store, d.options.Page.Source = store, "alerts are kept in SQLite until the demo stops."
	return nil
}

// carry makes the way of readings: Kafka, or straight to the first node.
func (d *trucking) carry(o Options) error {
	if o.Kafka == "" {
		d.options.Page.Source = "Readings come from a simulator in this process; " + d.options.Page.Source
		return nil
	}
	d.options.Page.Source = "Readings come by Kafka, topic " + fleet.Topic + "; " + d.options.Page.Source
	conn := kafkaconn.Options{URL: o.Kafka}
	producer, err := fleet.NewProducer(conn, fleet.Topic, o.Logger)
	if err != nil {
		return err
	}
	d.producer = producer
	d.ends = append(d.ends, func() error { producer.Close(); return nil })
	for range o.Nodes {
		source, err := kafka.New(kafka.Options{
			Kafka: conn, Topics: []string{fleet.Topic}, Group: "fleet", CreateTopics: true, Logger: o.Logger,
		})
		if err != nil {
			return err
		}
		d.sources = append(d.sources, source)
	}
	return nil
}

// share opens what nodes know together: in memory, or in the Redis of the bus.
func (d *trucking) share(ctx context.Context, o Options) error {
	if o.Bus.URL == "" {
		queue, err := memory.New(memory.Options{Logger: o.Logger})
		d.options.State, d.options.Queue = &fleet.Memory{}, queue
		return err
	}
	conn, err := o.Bus.Connection()
	if err != nil {
		return err
	}
	state, err := fleet.OpenRedis(ctx, conn, o.Bus.Prefix)
	if err != nil {
		return err
	}
	d.ends = append(d.ends, func() error { state.Close(); return nil })
	queue, err := redisstream.New(ctx, redisstream.Options{
		Redis: conn, Name: "fleet-alerts", Prefix: o.Bus.Prefix, Logger: o.Logger,
	})
	if err != nil {
		return err
	}
	d.ends = append(d.ends, func() error { queue.Close(); return nil })
	d.options.State, d.options.Queue = state, queue
	return nil
}

// start serves dashboards on a node.
func (d *trucking) start(srv *socketio.Server, name string, log *slog.Logger, mux *http.ServeMux) (stop func(), err error) {
	o := d.options
	o.Page.Node, o.Logger = name, log
	f, err := fleet.New(srv, srv.Of(fleetSpace), o)
	if err != nil {
		return func() {}, err
	}
	d.nodes = append(d.nodes, f)
	mux.Handle("/fleet/", secured(http.StripPrefix("/fleet", f.Page())))
	mux.Handle("/fleet/api/", secured(http.StripPrefix("/fleet", f.API())))
	return f.Close, nil
}

// report takes readings in.
func (d *trucking) report(ctx context.Context, readings []fleet.Reading) error {
	if d.producer != nil {
		return d.producer.Report(ctx, readings)
	}
	return d.nodes[0].Take(ctx, readings)
}

// run drives the trucks, and tells alerts, until ctx ends.
func (d *trucking) run(ctx context.Context, log *slog.Logger) error {
	var all sync.WaitGroup
	errs := make([]error, len(d.nodes)+len(d.sources))
	for i, f := range d.nodes {
		all.Go(func() { errs[i] = f.Run(ctx) })
	}
	for i, source := range d.sources {
		all.Go(func() {
			errs[len(d.nodes)+i] = source.RunBatches(ctx, belfry.BatchLimit{}, d.nodes[i].Records)
		})
	}
	if d.simulator != nil {
		all.Go(func() { d.simulator.Run(ctx, d.report, log) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// close closes what newTrucking opened. The nodes have been closed.
func (d *trucking) close() error {
	var errs []error
	for i := len(d.ends) - 1; i >= 0; i-- {
		errs = append(errs, d.ends[i]())
	}
	return errors.Join(errs...)
}
