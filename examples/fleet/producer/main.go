// Command producer drives trucks over the map and writes what they measure to a topic
// of Kafka.
//
//	go run ./examples/fleet/producer --kafka kafka://127.0.0.1:9092 --trucks 10000
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
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
	flag.Parse()
	if !kafkaconn.IsTopic(*topic) {
		return fmt.Errorf("--topic is %q: must be %s", *topic, kafkaconn.TopicRule)
	}
	simulator, err := fleet.NewSimulator(fleet.SimulatorOptions{Trucks: *trucks, Interval: *interval})
	if err != nil {
		return err
	}
	producer, err := fleet.NewProducer(kafkaconn.Options{URL: *url, Name: "fleet-producer"}, *topic, slog.Default())
	if err != nil {
		return err
	}
	defer producer.Close()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	fmt.Printf("%d trucks report to %s every %v. Ctrl-C stops them.\n", *trucks, *topic, *interval)
	simulator.Run(ctx, producer.Report, slog.Default())
	return nil
}
