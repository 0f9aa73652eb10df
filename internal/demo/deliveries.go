package demo

import (
	"context"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/examples/fleet"
	"github.com/seed-09a96375/belfry/kafkaconn"
	"github.com/seed-09a96375/belfry/source/redisstream"
)

// deliveries are the orders of the fleet: who orders, and how that comes to the nodes.
type deliveries struct {
	customers *fleet.Customers
	producer  *fleet.Producer      // nil: not by Kafka
	sources   []belfry.BatchSource // one for each node; nil: straight to the first
}

// deliver makes the way of order events: Kafka, or else a stream of the Redis that the
// nodes share, or straight to the first node.
func (d *trucking) deliver(ctx context.Context, o Options) error {
	w := &d.deliveries
	w.customers = fleet.NewCustomers(fleet.CustomersOptions{Users: d.options.Users, Trucks: max(o.Trucks, 0)})
	var err error
	switch {
	case o.Kafka != "":
		if w.producer, err = fleet.NewProducer(kafkaconn.Options{URL: o.Kafka}, fleet.OrdersTopic, o.Logger); err != nil {
			return err
		}
		d.ends = append(d.ends, func() error { w.producer.Close(); return nil })
		w.sources, err = topicSources(o, fleet.OrdersTopic, "fleet-orders")
	case o.Bus.URL != "":
		w.sources, err = d.streamSources(ctx, o)
	}
	return err
}

// streamSources are those of the Redis Stream, one for each node, of which one reads.
func (d *trucking) streamSources(ctx context.Context, o Options) ([]belfry.BatchSource, error) {
	conn, err := o.Bus.Connection()
	if err != nil {
		return nil, err
	}
	client, err := conn.Open(ctx)
	if err != nil {
		return nil, err
	}
	d.ends = append(d.ends, func() error { client.Close(); return nil })
	all := make([]belfry.BatchSource, o.Nodes)
	for i, node := range o.nodeIDs() {
		source, err := redisstream.New(redisstream.Options{
			Client: client, Stream: fleet.OrdersTopic, Group: "fleet", Node: string(node), Logger: o.Logger,
		})
		if err != nil {
			return nil, err
		}
		all[i] = source
	}
	return all, nil
}

// reportOrder takes an order event in.
func (d *trucking) reportOrder(ctx context.Context, e fleet.Order) error {
	switch {
	case d.deliveries.producer != nil:
		return d.deliveries.producer.ReportOrder(ctx, e)
	case d.redis != nil:
		return d.redis.AddOrder(ctx, fleet.OrdersTopic, e)
	}
	return d.nodes[0].TakeOrder(ctx, e)
}
