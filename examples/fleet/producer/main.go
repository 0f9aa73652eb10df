// Command producer drives trucks over the map and writes what they measure to a topic
// of Kafka, and what becomes of orders to another.
//
//	go run ./examples/fleet/producer --kafka kafka://127.0.0.1:9092 --trucks 10000 --orders
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry/examples/fleet"
	"github.com/seed-09a96375/belfry/kafkaconn"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run() error {
	url := flag.String("kafka", "kafka://127.0.0.1:9092", "`URL` of Kafka")
	topic := flag.String("topic", fleet.Topic, "`name` of the topic")
	trucks := flag.Int("trucks", 100, "`number` of trucks")
	interval := flag.Duration("interval", time.Second, "`time` between two readings of a truck")
	orders := flag.Bool("orders", false, "write order events as well, to the topic "+fleet.OrdersTopic)
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("%q is not a flag: see --help", flag.Arg(0))
	}
	if !kafkaconn.IsTopic(*topic) {
		return fmt.Errorf("--topic is %q: must be %s", *topic, kafkaconn.TopicRule)
	}
	simulator, err := fleet.NewSimulator(fleet.SimulatorOptions{Trucks: *trucks, Interval: *interval})
	if err != nil {
		return err
	}
	conn := kafkaconn.Options{URL: *url, Name: "fleet-producer"}
	producer, err := fleet.NewProducer(conn, *topic, slog.Default())
	if err != nil {
		return err
	}
	defer producer.Close()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *orders {
		end, err := startOrders(ctx, conn, *trucks)
		if err != nil {
			return err
		}
		defer end()
	}
	fmt.Printf("%d trucks report to %s every %v. Ctrl-C stops them.\n", *trucks, *topic, *interval)
	simulator.Run(ctx, producer.Report, slog.Default())
	return nil
}

// customers are those of the demo.
var customers = []fleet.User{{Name: "north", Fleets: []string{"NORTH"}}, {Name: "southwest", Fleets: []string{"SOUTH", "WEST"}}}

// startOrders writes order events until ctx ends; end waits for that.
func startOrders(ctx context.Context, conn kafkaconn.Options, trucks int) (end func(), err error) {
	producer, err := fleet.NewProducer(conn, fleet.OrdersTopic, slog.Default())
	if err != nil {
		return nil, err
	}
	var running sync.WaitGroup
	running.Go(func() {
		fleet.NewCustomers(fleet.CustomersOptions{Users: customers, Trucks: trucks}).Run(ctx, producer.ReportOrder, slog.Default())
	})
	return func() {
		running.Wait()
		producer.Close()
	}, nil
}
