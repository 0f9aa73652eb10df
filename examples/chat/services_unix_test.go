//go:build unix

package chat_test

import (
	"context"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive/postgres"
	"github.com/seed-09a96375/belfry/bus/redis"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/internal/kafkatest"
	"github.com/seed-09a96375/belfry/internal/postgrestest"
	"github.com/seed-09a96375/belfry/kafkaconn"
	queuekafka "github.com/seed-09a96375/belfry/queue/kafka"
	"github.com/seed-09a96375/belfry/source/kafka"
)

// TestEachMessageIsOneRowOfPostgres is the way over Redis, Kafka and PostgreSQL, with a
// producer for each of three nodes. The topic has what comes twice by two nodes twice.
func TestEachMessageIsOneRowOfPostgres(t *testing.T) {
	var bed kafkatest.Bed
	t.Cleanup(bed.Close)
	cluster := kafkaconn.Options{URL: "kafka://" + bed.Broker(t).Addr()}
	topic := bed.Broker(t).Topic(t, 3)

	store, err := postgres.Open(t.Context(), postgres.Options{URL: postgrestest.Start(t).URL(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	shared, err := redis.New(t.Context(), redis.Options{URL: redistest.Start(t).URL(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(shared.Close)
	source, err := kafka.New(kafka.Options{Kafka: cluster, Topics: []string{topic}, Group: "archive", Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	c := &chain{bus: shared, source: source, store: store, delay: 5 * time.Second}
	for range 3 {
		c.queues = append(c.queues, producer(t, cluster, topic))
	}
	accepted := talk(t, c.start(t), 30, 10)
	if err := checkRows(rowsOf(t, store), accepted); err != nil {
		t.Error(err)
	}
}

func producer(t *testing.T, cluster kafkaconn.Options, topic string) belfry.Queue {
	t.Helper()
	queue, err := queuekafka.New(queuekafka.Options{Kafka: cluster, Topic: topic, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = queue.Close(ctx)
	})
	return queue
}
