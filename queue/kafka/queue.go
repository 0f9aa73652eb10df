// Package kafka appends events of clients, and what is published, to a Kafka topic.
//
// Each record is acknowledged by all replicas that are in sync before Append returns,
// and the producer is idempotent: what the driver sends again is stored once. What a
// client sends again is dropped by the node that has the first, within Options.Window;
// another node cannot know of it. So a record is there at least once, and its header
// "id" says which are the same.
//
// A record is produced by the node that has the client, or that publishes: never by
// those that a broadcast comes to.
package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/kafkaconn"
)

// Queue appends to a topic. Safe for concurrent use.
type Queue struct {
	o      Options
	client *kgo.Client
	recent *recent

	end   context.CancelFunc
	tasks sync.WaitGroup

	appended, duplicates, failed atomic.Uint64
}

var _ belfry.Queue = (*Queue)(nil)

// New returns a Queue. It connects in the background: brokers that are away, or a
// topic that is missing, are no error here. Close ends it.
func New(o Options) (*Queue, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	opts, err := o.Kafka.Client(o.Logger)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(opts,
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordDeliveryTimeout(o.Timeout),
		kgo.MaxBufferedRecords(50_000),
		kgo.MaxBufferedBytes(o.MaxBytes),
		kgo.ProducerLinger(0), // clients wait; what comes meanwhile is a batch anyway
	)...)
	if err != nil {
		return nil, err
	}
	q := &Queue{o: o, client: client, recent: newRecent(o.Window, o.MaxIDs)}
	ctx, cancel := context.WithCancel(context.Background())
	q.end = cancel
	q.tasks.Go(func() { kafkaconn.AwaitTopics(ctx, client, []string{o.Topic}, o.CreateTopic, q.note) })
	return q, nil
}

// note logs what AwaitTopics waits for.
func (q *Queue) note(missing []string, err error) {
	switch {
	case err != nil:
		q.o.Logger.Warn("kafka: look for the topic", "topic", q.o.Topic, "err", err)
	case len(missing) > 0:
		q.o.Logger.Warn("kafka: the topic is missing: create it, or let Belfry do it (CreateTopic)", "topic", q.o.Topic)
	}
}

// Append is that of belfry.Queue. The record's key is that of the event; records with
// one key are in one partition, in order. After an error of the brokers it is not
// known whether they have stored it, belfry.ErrInDoubt, unless they say so.
func (q *Queue) Append(ctx context.Context, e *belfry.Event) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case e.ID == "":
		return errors.New("queue: event without an ID")
	case len(e.ID) > belfry.MaxID:
		return fmt.Errorf("queue: ID of an event has %d bytes, may have %d", len(e.ID), belfry.MaxID)
	}
	rec, err := eventRecord(e)
	if err != nil {
		return err
	}
	return q.once(ctx, e.ID, rec)
}

// once produces a record unless one with that id was, or is under way: then it waits
// for what becomes of that.
func (q *Queue) once(ctx context.Context, id string, rec *kgo.Record) error {
	// The driver does not give up what it has sent: who waits does.
	ctx, cancel := context.WithTimeout(ctx, q.o.Timeout)
	defer cancel()
	for {
		a, first := q.recent.enter(time.Now(), id)
		if first {
			q.produce(id, a, rec)
		}
		select {
		case <-a.done:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", belfry.ErrInDoubt, ctx.Err())
		}
		switch {
		case first:
			return a.err
		case a.err == nil:
			q.duplicates.Add(1)
			return belfry.ErrDuplicate
		}
	}
}

// produce gives a record to the driver, which ends a in time, whoever waits for it.
func (q *Queue) produce(id string, a *attempt, rec *kgo.Record) {
	rec.Topic = q.o.Topic
	q.client.TryProduce(context.Background(), rec, func(_ *kgo.Record, err error) {
		if err == nil {
			q.appended.Add(1)
		} else {
			q.failed.Add(1)
		}
		q.recent.leave(id, a, explained(err))
	})
}

// explained tells what is known after an error of the driver.
func explained(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kgo.ErrMaxBuffered), errors.Is(err, kerr.UnknownTopicOrPartition):
		return fmt.Errorf("%w: %w", belfry.ErrUnavailable, err)
	case errors.Is(err, kgo.ErrClientClosed):
		return belfry.ErrClosed
	case errors.Is(err, kerr.MessageTooLarge), errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.InvalidRecord):
		return fmt.Errorf("queue: kafka refuses the record: %w", err)
	}
	return fmt.Errorf("%w: %w", belfry.ErrInDoubt, err)
}

// Stats is what a Queue has done.
type Stats struct {
	Appended   uint64 // records that the brokers have
	Duplicates uint64 // that were dropped here
	Failed     uint64
	Waiting    int64 // records that the brokers have not acknowledged
	Bytes      int64 // their size
}

// Stats returns them.
func (q *Queue) Stats() Stats {
	return Stats{
		Appended: q.appended.Load(), Duplicates: q.duplicates.Load(), Failed: q.failed.Load(),
		Waiting: q.client.BufferedProduceRecords(), Bytes: q.client.BufferedProduceBytes(),
	}
}

// Close waits until all that was appended is acknowledged, no longer than ctx; what
// is not by then fails with belfry.ErrClosed.
func (q *Queue) Close(ctx context.Context) error {
	q.end()
	q.tasks.Wait()
	err := q.client.Flush(ctx)
	q.client.Close()
	return err
}
