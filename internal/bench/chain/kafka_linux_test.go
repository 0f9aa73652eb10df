package chain

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/internal/kafkatest"
)

// topicNode is the configuration of a node that reads a topic of `belfry bench kafka`
// into rooms.
func topicNode(broker *kafkatest.Broker, topic, redis string) string {
	return fmt.Sprintf(`
kafka:
  url: kafka://%s
  create_topics: true
redis:
  url: %q
sources:
  - name: bench
    kafka_topic: %s
    rooms: ["{key}"]
    as: msg
    args: ["{payload.args.0}"]
`, broker.Addr(), redis, topic)
}

// BenchmarkKafkaToClients produces records of 190 bytes, each for the room of one of 100
// clients, and counts and times what comes to these. Latency is from when a record was
// due to be produced. At the highest rates what a node cannot take waits in Kafka: then
// deliveries/s is what it can.
func BenchmarkKafkaToClients(b *testing.B) {
	rates := []int{5_000, 20_000, 50_000, 100_000}
	if *length < 2*time.Second {
		rates = rates[:1] // only to see that it works
	}
	for _, bus := range []string{"memory", "redis"} {
		for _, rate := range rates {
			b.Run(fmt.Sprintf("bus-%s/rate-%d", bus, rate), func(b *testing.B) {
				for range b.N {
					kafkaToClients(b, bus == "redis", rate)
				}
			})
		}
	}
}

func kafkaToClients(b *testing.B, redis bool, rate int) {
	broker := bed.Broker(b)
	topic := broker.Topic(b, 4)
	args := []string{
		"kafka", "--kafka", "kafka://" + broker.Addr(), "--topic", topic, "--rate", strconv.Itoa(rate), "--grace", "10s",
		"--duration", length.String(), "--warmup", min(2*time.Second, *length).String(), "--json", "-",
	}
	url := ""
	if redis {
		server := redistest.Start(b)
		url = server.URL()
		args = append(args, "--redis", server.Addr())
	}
	n := serve(b, topicNode(broker, topic, url))
	r := clients(b, append(args, "--url", n.url, "--pid", strconv.Itoa(n.pid))...)
	if c := r.Check; c.Lost+c.Duplicated+c.OutOfOrder+c.Misrouted+c.Corrupt > 0 || c.Expected == 0 {
		b.Errorf("not all came once, in order: %+v", c)
	}
	t := r.Traffic
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(t.PerSecond, "records/s")
	b.ReportMetric(t.Latency.P50, "p50-ms")
	b.ReportMetric(t.Latency.P99, "p99-ms")
	b.ReportMetric(*t.PerMillion, "node-cpu-µs/record")
	if t.RedisPerMillion != nil {
		b.ReportMetric(*t.RedisPerMillion, "redis-cpu-µs/record")
	}
	b.ReportMetric(t.OthersCPU*100, "others-%") // the broker, the producer, and whoever else
}
