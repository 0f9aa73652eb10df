//go:build unix

package kafka

import (
	"context"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/hub"
)

// BenchmarkSource reads b.N records of 200 bytes that wait in 4 partitions, into a
// handler that does nothing, or that publishes to the room of a hub with 10 members.
func BenchmarkSource(b *testing.B) {
	b.Run("nothing", func(b *testing.B) {
		benchmark(b, func(context.Context, *belfry.Record) error { return nil })
	})
	b.Run("room", func(b *testing.B) {
		benchmark(b, publishing(b))
	})
}

func benchmark(b *testing.B, h handle) {
	broker := bed.Broker(b)
	topic := broker.Topic(b, 4)
	fill(b, broker.Client(b, kgo.ProducerBatchCompression(kgo.NoCompression())), topic)
	var handled atomic.Int64
	all := make(chan struct{})
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu(b)
	s := start(b, options(broker, topic), func(ctx context.Context, rec *belfry.Record) error {
		if err := h(ctx, rec); err != nil {
			return err
		}
		if handled.Add(1) == int64(b.N) {
			close(all)
		}
		return nil
	})
	<-all
	b.StopTimer()
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	s.stop()
}

// cpu is what this process has taken, that of the system for it too.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func fill(b *testing.B, client *kgo.Client, topic string) {
	value := fmt.Appendf(nil, `{"text":%q}`, fmt.Sprintf("%0188d", 0))
	for i := range b.N {
		client.Produce(b.Context(), &kgo.Record{Topic: topic, Key: fmt.Appendf(nil, "room%d", i%100), Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				b.Error(err)
			}
		})
	}
	if err := client.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// publishing returns a handler that publishes to 100 rooms with 10 members each, with
// the ids of records.
func publishing(b *testing.B) handle {
	h, err := hub.New(b.Context(), hub.Options{Bus: memory.New(memory.Options{})})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = h.Close(context.Background()) })
	space := h.Space("/", hub.Hooks{})
	for room := range 100 {
		for i := range 10 {
			slot, err := space.Add(b.Context(), sink(fmt.Sprintf("%019d%d", room, i)))
			if err == nil {
				_, _, err = space.Join(b.Context(), slot, belfry.Room(fmt.Sprint("room", room)))
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	return func(ctx context.Context, rec *belfry.Record) error {
		data := append(append([]byte(`["reading",`), rec.Value...), ']')
		return space.Publish(ctx, &belfry.Message{ID: rec.ID, Target: belfry.Target{Rooms: []belfry.Room{belfry.Room(rec.Key)}}, Data: data})
	}
}

// sink is a member whose deliveries are a system call that does nothing.
type sink belfry.SocketID

func (s sink) MemberID() belfry.SocketID { return belfry.SocketID(s) }
func (s sink) Deliver(*hub.Delivery)     { _ = syscall.Getppid() }
func (s sink) DeliverAck(*hub.Delivery, func(hub.Answer)) (forget func()) {
	return func() {}
}
func (s sink) Join(...belfry.Room) error { return nil }
func (s sink) Leave(...belfry.Room)      {}
func (s sink) Disconnect(bool)           {}
func (s sink) Describe() []byte          { return nil }
