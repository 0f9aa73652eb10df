// Package records is the sender of a run in which messages come by Kafka: a process
// that produces records to a topic, which the servers under test read into rooms. It
// takes the orders that a worker takes.
//
// The key of a record is a room, its value a message as the archive keeps it:
//
//	{"event":"msg","room":"room-7","args":["payload"]}
//
// Rooms take turns. The stamp in a payload says when it was due by the schedule, so that
// what a sender is late by is part of the latency.
package records

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry/internal/bench/stamp"
	"github.com/seed-09a96375/belfry/internal/bench/worker"
	"github.com/seed-09a96375/belfry/kafkaconn"
)

// Run produces between OpStart and OpStop. It reports OpSetup when the brokers have
// answered, and with OpStop what each source sent, once they have all of it. It ends
// with OpQuit or the end of in.
func Run(in io.Reader, out io.Writer) error {
	enc := json.NewEncoder(out)
	err := run(json.NewDecoder(in), enc)
	if err != nil {
		fault := new(worker.Fault)
		if !errors.As(err, &fault) {
			fault = &worker.Fault{Text: "producer: " + err.Error()}
		}
		// Nobody is left to tell if this fails.
		_ = enc.Encode(worker.Report{Op: worker.OpFailed, Fault: fault})
	}
	return err
}

func run(orders *json.Decoder, out *json.Encoder) error {
	var first worker.Order
	if err := orders.Decode(&first); err != nil {
		return fmt.Errorf("read the first order: %w", err)
	}
	if first.Setup == nil {
		return fmt.Errorf("the first order is %q: want %q", first.Op, worker.OpSetup)
	}
	p, err := open(first.Setup)
	if err != nil {
		return err
	}
	defer p.client.Close()
	defer p.cancel()
	if err := out.Encode(worker.Report{Op: worker.OpSetup}); err != nil {
		return err
	}
	for {
		var o worker.Order
		if err := orders.Decode(&o); err != nil || o.Op == worker.OpQuit {
			p.cancel() // what waits for brokers does not any more
			p.stop()
			return nil // the parent is gone, or has enough
		}
		if err := p.obey(o, out); err != nil {
			return err
		}
	}
}

// producer is one run.
type producer struct {
	set     *worker.Setup
	client  *kgo.Client
	clock   stamp.Clock
	filling []byte
	sent    []uint32 // by room

	ctx     context.Context // of what is produced
	cancel  context.CancelFunc
	end     chan struct{} // closed to end pace; nil while it does not run
	running sync.WaitGroup
	mu      sync.Mutex
	fault   error // the first record that was not taken
}

func open(set *worker.Setup) (*producer, error) {
	opts, err := kafkaconn.Options{URL: set.Kafka}.Client(slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	// What is due goes at once; at high rates records wait for the request before them.
	opts = append(opts, kgo.ProducerLinger(0), kgo.MaxBufferedRecords(100_000))
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, err
	}
	if err := ping(client, set.Timeout); err != nil {
		client.Close()
		return nil, &worker.Fault{Text: fmt.Sprintf("no broker answers: %v", err), Advice: "is --kafka right?"}
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &producer{
		ctx: ctx, cancel: cancel,
		set: set, client: client, clock: stamp.NewClock(),
		filling: stamp.Filling(set.Seed, set.Size), sent: make([]uint32, set.Plan.Rooms),
	}, nil
}

func ping(client *kgo.Client, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return client.Ping(ctx)
}

func (p *producer) obey(o worker.Order, out *json.Encoder) error {
	switch o.Op {
	case worker.OpStart:
		end := make(chan struct{})
		p.end = end
		p.running.Go(func() { p.pace(o.At, end) })
	case worker.OpStop:
		p.stop()
		ctx, cancel := context.WithTimeout(context.Background(), p.set.Timeout)
		defer cancel()
		if err := errors.Join(p.client.Flush(ctx), p.failed(nil)); err != nil {
			return fmt.Errorf("produce to %s: %w", p.set.Topic, err)
		}
		return out.Encode(worker.Report{Op: worker.OpStop, Sent: p.counts()})
	}
	return nil
}

func (p *producer) stop() {
	if p.end != nil {
		close(p.end)
		p.end = nil
	}
	p.running.Wait()
}

// tick is how often what is due is produced.
const tick = time.Millisecond

// pace produces by the schedule, from a time of the clock on, until end is closed.
func (p *producer) pace(start int64, end <-chan struct{}) {
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	for next := 0; ; {
		for due := p.due(start, next); due <= p.clock.Now(); due = p.due(start, next) {
			select {
			case <-end:
				return
			default:
			}
			p.produce(next%p.set.Plan.Rooms, due)
			next++
		}
		select {
		case <-ticks.C:
		case <-end:
			return
		}
	}
}

func (p *producer) due(start int64, n int) int64 {
	return start + int64(float64(n)*float64(time.Second)/p.set.Rate)
}

// produce waits while too many records are under way.
func (p *producer) produce(room int, due int64) {
	name := fmt.Appendf(nil, "%s%d", p.set.RoomPrefix, room)
	value := make([]byte, 0, len(name)+p.set.Size+48)
	value = append(append(append(value, `{"event":"msg","room":"`...), name...), `","args":["`...)
	value = stamp.Stamp{Source: uint32(room), Seq: p.sent[room], Sent: due}.AppendTo(value)
	value = append(append(value, p.filling...), `"]}`...)
	p.sent[room]++
	p.client.Produce(p.ctx, &kgo.Record{Topic: p.set.Topic, Key: name, Value: value}, func(_ *kgo.Record, err error) {
		_ = p.failed(err)
	})
}

// failed notes the first error, and returns it.
func (p *producer) failed(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault == nil {
		p.fault = err
	}
	return p.fault
}

func (p *producer) counts() []worker.SourceSent {
	all := make([]worker.SourceSent, len(p.sent))
	for i, n := range p.sent {
		all[i] = worker.SourceSent{Source: i, Sent: n}
	}
	return all
}
