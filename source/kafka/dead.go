package kafka

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Headers of a dead letter, after those of the record. Key and value are the
// record's. The position names the record: a letter that is there twice, after a
// crash, has the same.
const (
	HeaderReason    = "belfry-reason"
	HeaderTopic     = "belfry-topic"
	HeaderPartition = "belfry-partition"
	HeaderOffset    = "belfry-offset"
	HeaderTime      = "belfry-time" // of the record, RFC 3339
	HeaderGroup     = "belfry-group"
)

// maxReason bounds a reason, bytes: it may hold what others have sent.
const maxReason = 4 << 10

// deadLetters is the topic for what a topic had.
func (o *Options) deadLetters(topic string) string {
	if o.DeadLetters != "" {
		return o.DeadLetters
	}
	return topic + ".dead"
}

// putAside brings records to the topic for dead letters; it removes from poison those
// that are there.
func (p *partition) putAside(batch []item, poison map[int]error) error {
	for i := range batch {
		reason, is := poison[i]
		if !is {
			continue
		}
		if err := p.run.produce(p.ctx, p.letter(batch[i].Record, reason)); err != nil {
			return fmt.Errorf("%s: %w", p.run.o.deadLetters(p.at.topic), err)
		}
		delete(poison, i)
		p.run.poisoned.Add(1)
		p.run.o.Logger.Warn("kafka: a record cannot be handled: it is among the dead letters",
			"topic", p.at.topic, "partition", p.at.partition, "offset", batch[i].Offset, "reason", reason)
	}
	return nil
}

func (p *partition) letter(rec *kgo.Record, reason error) *kgo.Record {
	why := fmt.Sprint(reason)
	return &kgo.Record{
		Topic: p.run.o.deadLetters(p.at.topic),
		Key:   rec.Key,
		Value: rec.Value,
		Headers: append(
			slices.Clone(rec.Headers),
			kgo.RecordHeader{Key: HeaderReason, Value: []byte(why[:min(len(why), maxReason)])},
			kgo.RecordHeader{Key: HeaderTopic, Value: []byte(p.at.topic)},
			kgo.RecordHeader{Key: HeaderPartition, Value: strconv.AppendInt(nil, int64(p.at.partition), 10)},
			kgo.RecordHeader{Key: HeaderOffset, Value: strconv.AppendInt(nil, rec.Offset, 10)},
			kgo.RecordHeader{Key: HeaderTime, Value: rec.Timestamp.UTC().AppendFormat(nil, time.RFC3339Nano)},
			kgo.RecordHeader{Key: HeaderGroup, Value: []byte(p.run.o.Group)},
		),
	}
}

// produce returns when all replicas have the record. The driver does not give up what
// it has sent, so that it stays idempotent; who waits does, with ctx.
func (r *run) produce(ctx context.Context, rec *kgo.Record) error {
	done := make(chan error, 1)
	r.client.Produce(ctx, rec, func(_ *kgo.Record, err error) { done <- err })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
