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
	options    fleet.Options
	simulator  *fleet.Simulator     // nil: no trucks
	producer   *fleet.Producer      // nil: readings do not go by Kafka
	sources    []belfry.BatchSource // then; one for each node
	deliveries deliveries
	redis      *fleet.Redis // nil: nodes have no Redis
	nodes      []*fleet.Fleet
	ends       []func() error // in reverse order
}

// newTrucking opens what alerts and readings are kept in. After an error nothing is
// left open.
func newTrucking(ctx context.Context, o Options) (*trucking, error) {
	d := &trucking{options: fleet.Options{Secret: rand.Text() + rand.Text(), Risk: fleet.EstimateRisk}}
	if o.Mail != "" {
		d.options.Mail, d.options.MailTo = fleet.MailByHTTP(nil, o.Mail), mailTo
	}
	err := errors.Join(d.admit(), d.keep(ctx, o), d.share(ctx, o), d.carry(o), d.deliver(ctx, o))
	if err == nil && o.Trucks > 0 {
		d.simulator, err = fleet.NewSimulator(fleet.SimulatorOptions{Trucks: o.Trucks})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the fleet: %w", err), d.close())
	}
	d.options.Report = func(ctx context.Context, r fleet.Reading) error { return d.report(ctx, []fleet.Reading{r}) }
	d.options.Page = fleet.PageInfo{
		Namespace: fleetSpace, Source: d.says(o), Demo: d.options.Page.Demo, Fleets: fleet.Depots(),
		Center:  fleet.Location{Lat: 46.77, Lng: 23.6},
		Links:   []fleet.Link{{Text: "Start", URL: "/"}, {Text: "Chat", URL: "/chat/"}, {Text: "Screen sharing", URL: "/meet/"}, {Text: "Orders", URL: "/orders/"}},
		Leaflet: leaflet(),
	}
	return d, nil
}

// mailTo is the address that the demo gives to Options.Mail.
const mailTo = "fleet@example.com"

// says is what the page says of the ways that things take, and where they are kept.
func (d *trucking) says(o Options) string {
	readings, orders, kept := "Readings come from a simulator in this process", "so do orders", "SQLite until the demo stops"
	if o.Trucks < 0 {
		readings, orders = "No trucks drive here (--trucks 0)", "and nobody orders"
	}
	if o.Bus.URL != "" {
		orders = "orders by the Redis Stream " + fleet.OrdersTopic
	}
	if o.Kafka != "" {
		readings, orders = "Readings come by Kafka, topic "+fleet.Topic, "orders by topic "+fleet.OrdersTopic
	}
	if o.Postgres != "" {
		kept = "PostgreSQL, table " + newsTable
	}
	return readings + ", " + orders + "; alerts and orders are kept in " + kept + "."
}

// newsTable is where PostgreSQL has alerts and orders.
const newsTable = "notifications"

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
		store, err := postgres.Open(ctx, postgres.Options{URL: o.Postgres, Table: newsTable, Logger: o.Logger})
		if err != nil {
			return err
		}
		d.ends = append(d.ends, func() error { store.Close(); return nil })
		d.options.Store = store
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
	d.options.Store = store
	return nil
}

// carry makes the way of readings: Kafka, or straight to the first node.
func (d *trucking) carry(o Options) error {
	if o.Kafka == "" {
		return nil
	}
	conn := kafkaconn.Options{URL: o.Kafka}
	producer, err := fleet.NewProducer(conn, fleet.Topic, o.Logger)
	if err != nil {
		return err
	}
	d.producer = producer
	d.ends = append(d.ends, func() error { producer.Close(); return nil })
	d.sources, err = topicSources(o, fleet.Topic, "fleet")
	return err
}

// topicSources are those of a topic, one for each node, which share its partitions.
func topicSources(o Options, topic, group string) ([]belfry.BatchSource, error) {
	all := make([]belfry.BatchSource, o.Nodes)
	for i := range all {
		source, err := kafka.New(kafka.Options{
			Kafka: kafkaconn.Options{URL: o.Kafka}, Topics: []string{topic}, Group: group, CreateTopics: true, Logger: o.Logger,
		})
		if err != nil {
			return nil, err
		}
		all[i] = source
	}
	return all, nil
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
	d.options.State, d.options.Queue, d.redis = state, queue, state
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

// run drives the trucks, has goods ordered, and tells what happens, until ctx ends.
func (d *trucking) run(ctx context.Context, log *slog.Logger) error {
	var works []func() error
	for i, f := range d.nodes {
		works = append(works, func() error { return f.Run(ctx) })
		if d.sources != nil {
			works = append(works, func() error { return d.sources[i].RunBatches(ctx, belfry.BatchLimit{}, f.Records) })
		}
		if from := d.deliveries.sources; from != nil {
			works = append(works, func() error { return from[i].RunBatches(ctx, belfry.BatchLimit{}, f.OrderRecords) })
		}
	}
	if d.simulator != nil {
		works = append(works, func() error { d.simulator.Run(ctx, d.report, log); return nil })
		works = append(works, func() error { d.deliveries.customers.Run(ctx, d.reportOrder, log); return nil })
	}
	errs := make([]error, len(works))
	var all sync.WaitGroup
	for i, work := range works {
		all.Go(func() { errs[i] = work() })
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
