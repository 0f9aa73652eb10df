package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry/kafkaconn"
)

// Topic is what readings come by unless you say otherwise.
const Topic = "telemetry-stream"

// Producer writes readings, or order events, to a topic of Kafka. The truck is the key,
// so that those of one truck are in one partition, in order. Safe for concurrent use.
type Producer struct {
	client *kgo.Client
	topic  string
}

// reportTimeout bounds how long a reading waits for brokers that are away. It is worth
// little after that.
const reportTimeout = 10 * time.Second

// NewProducer returns a Producer, which the caller closes. It connects when it has
// something to write. The brokers make the topic if they are set up to.
func NewProducer(o kafkaconn.Options, topic string, log *slog.Logger) (*Producer, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	conn, err := o.Client(log)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(conn,
		kgo.DefaultProduceTopic(topic), kgo.AllowAutoTopicCreation(),
		kgo.ProducerLinger(5*time.Millisecond))...)
	if err != nil {
		return nil, fmt.Errorf("connect to Kafka: %w", err)
	}
	return &Producer{client, topic}, nil
}

// Close closes the connections. No call may be under way.
func (p *Producer) Close() { p.client.CloseAllowingRebalance() }

// Report writes readings, and returns when all replicas that are in sync have them.
func (p *Producer) Report(ctx context.Context, readings []Reading) error {
	records := make([]*kgo.Record, 0, len(readings))
	for _, r := range readings {
		record, err := recordOf(r.Truck, r, r.Time)
		if err != nil {
			return err
		}
		records = append(records, record)
	}
	return p.write(ctx, records)
}

// ReportOrder writes an order event, as Report does: to a topic of its own, by another
// Producer. The order is the key.
func (p *Producer) ReportOrder(ctx context.Context, o Order) error {
	record, err := recordOf(o.ID, o, o.Time)
	if err != nil {
		return err
	}
	return p.write(ctx, []*kgo.Record{record})
}

func recordOf(key string, value any, at time.Time) (*kgo.Record, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode a record: %w", err)
	}
	return &kgo.Record{Key: []byte(key), Value: text, Timestamp: at}, nil
}

func (p *Producer) write(ctx context.Context, records []*kgo.Record) error {
	// The driver's own timeout counts from the records' timestamps.
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	if err := p.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("write to %s: %w", p.topic, err)
	}
	return nil
}
