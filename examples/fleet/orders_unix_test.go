//go:build unix

package fleet_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/examples/fleet"
	"github.com/seed-09a96375/belfry/internal/kafkatest"
	"github.com/seed-09a96375/belfry/kafkaconn"
	"github.com/seed-09a96375/belfry/redisconn"
	"github.com/seed-09a96375/belfry/source/kafka"
	"github.com/seed-09a96375/belfry/source/redisstream"
)

// listen has a node take order events from a source until stop is called, or the test
// ends.
func listen(t *testing.T, n *node, source belfry.BatchSource) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := source.RunBatches(ctx, belfry.BatchLimit{}, n.OrderRecords); err != nil {
			t.Errorf("RunBatches: %v", err)
		}
	})
	stop = func() { cancel(); running.Wait() }
	t.Cleanup(stop)
	return stop
}

// stages are what becomes of some orders, one stage after the other, and the ids of
// what is told of it.
func stages(orders int) (all [][]fleet.Order, ids []string) {
	for i, event := range []string{fleet.OrderCreated, fleet.OrderShipped, fleet.OrderDelivered} {
		var stage []fleet.Order
		for n := range orders {
			o := order(fmt.Sprintf("o%02d", n), event, "north", i)
			stage, ids = append(stage, o), append(ids, o.ID+":"+event)
		}
		all = append(all, stage)
	}
	slices.Sort(ids)
	return all, ids
}

// ordersFrom is weaknesses 4 and 8: order events are written twice, some while nobody
// reads, and readers come and go. Each is told once, on each node.
func ordersFrom(t *testing.T, nodes []*node, report func(fleet.Order), source func(i int) belfry.BatchSource) {
	t.Helper()
	all, want := stages(10)
	write := func(orders []fleet.Order) {
		for range 2 {
			for _, o := range orders {
				report(o)
			}
		}
	}
	manager, north := nodes[0].open("manager"), nodes[1].open("north")
	write(all[0]) // nobody reads
	first := listen(t, nodes[0], source(0))
	manager.waitOrder()
	listen(t, nodes[1], source(1))
	write(all[1])
	first()
	write(all[2])
	for name, d := range map[string]*dashboard{"manager": manager, "north": north} {
		d.Rewind()
		told := make(map[string]int)
		for len(told) < len(want) {
			told[d.waitOrder().ID]++
		}
		d.orders() // what was on its way has come
		if got := d.heard(); len(got) != len(want) || !slices.Equal(slices.Sorted(maps.Keys(told)), want) {
			t.Errorf("%s hears %d: %v\nwant each of %d once", name, len(got), got, len(want))
		}
	}
}

func TestOrdersByKafka(t *testing.T) {
	b := broker.Broker(t)
	nodes := cluster(t, 2, onRedis(t))
	topic, group, conn := b.Topic(t, 3), kafkatest.Name(t), kafkaconn.Options{URL: "kafka://" + b.Addr()}
	producer, err := fleet.NewProducer(conn, topic, slog.New(slog.DiscardHandler))
	must(t, err)
	t.Cleanup(producer.Close)
	ordersFrom(t, nodes, func(o fleet.Order) { must(t, producer.ReportOrder(t.Context(), o)) }, func(int) belfry.BatchSource {
		s, err := kafka.New(kafka.Options{Kafka: conn, Topics: []string{topic}, Group: group, Logger: slog.New(slog.DiscardHandler)})
		must(t, err)
		return s
	})
}

func TestOrdersByRedisStream(t *testing.T) {
	nodes := cluster(t, 2, onRedis(t))
	conn := redisconn.Options{URL: redistest.Start(t).URL()}
	writer, err := fleet.OpenRedis(t.Context(), conn, "")
	must(t, err)
	t.Cleanup(writer.Close)
	client, err := conn.Open(t.Context())
	must(t, err)
	t.Cleanup(client.Close)
	ordersFrom(t, nodes, func(o fleet.Order) { must(t, writer.AddOrder(t.Context(), "orders", o)) }, func(i int) belfry.BatchSource {
		s, err := redisstream.New(redisstream.Options{
			Client: client, Stream: "orders", Group: "fleet", Node: fmt.Sprint("node-", i), Logger: slog.New(slog.DiscardHandler),
		})
		must(t, err)
		return s
	})
}
