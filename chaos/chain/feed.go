package chain

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry/chaos/account"
	"github.com/seed-09a96375/belfry/chaos/publish"
)

// message is what clients get, and what is in the rows.
type message struct {
	Room   string `json:"room"`
	ID     string `json:"id"`
	Stream int    `json:"stream"`
	Number int    `json:"number"`
}

// record is a record of the feed: what nodes make a message of, and archivers a row.
type record struct {
	ID    string    `json:"id"`
	Event string    `json:"event"`
	Room  string    `json:"room"`
	Args  []message `json:"args"`
	Time  time.Time `json:"time"`
}

// feed produces records with keys, and puts up with brokers that are away.
type feed struct {
	layout     layout
	client     *kgo.Client
	publishers []*publish.Publisher
	enough     atomic.Bool // no more than was asked for
	parts      [][]int     // streams, of each publisher

	mu     sync.Mutex
	poison map[place]bool
}

// newFeed makes one. If it is broken it skips messages of some keys, and swaps those of
// others.
func newFeed(addr string, l layout, seed uint64, broken bool) (*feed, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(addr), kgo.DefaultProduceTopic(feedTopic), kgo.ProducerLinger(0),
		kgo.RecordDeliveryTimeout(0), // none: as long as it takes
	)
	if err != nil {
		return nil, err
	}
	f := &feed{layout: l, client: client, poison: make(map[place]bool)}
	faults := []publish.Fault{""}
	if broken {
		faults = []publish.Fault{publish.Lose, publish.Swap}
	}
	for i, fault := range faults {
		f.publishers = append(f.publishers, publish.New(publish.Options{
			Streams: l.Streams, Offer: f.offer, Fault: fault, Seed: seed, More: func() bool { return !f.enough.Load() },
		}))
		from, to := i*len(l.feed)/len(faults), (i+1)*len(l.feed)/len(faults)
		f.parts = append(f.parts, l.feed[from:to])
	}
	return f, nil
}

func (f *feed) close() { f.client.Close() }

// run produces so many messages of each key, and goes on until it is enough; it returns
// when all are acknowledged, or ctx ends.
func (f *feed) run(ctx context.Context, each int, over time.Duration) {
	var running sync.WaitGroup
	for i, p := range f.publishers {
		running.Go(func() { p.Run(ctx, f.parts[i], each, over) })
	}
	running.Wait()
}

// sent adds what was produced to an account.
func (f *feed) sent(s account.Sent) {
	for i, p := range f.publishers {
		all := p.Sent()
		for _, stream := range f.parts[i] {
			s[stream] = all[stream]
		}
	}
}

// poisonShare: before one message of so many comes a record that is none.
const poisonShare = 50

// offer produces one message of a key. The driver repeats what it has no answer to; the
// broker knows it again.
func (f *feed) offer(ctx context.Context, stream, n int) account.Outcome {
	room := f.layout.Streams[stream]
	id := fmt.Sprintf("feed-%d-%d", stream, n)
	text, err := json.Marshal(record{
		ID: id, Event: "message", Room: roomName(room), Time: time.Now().UTC(),
		Args: []message{{Room: fmt.Sprint(room), ID: id, Stream: stream, Number: n}},
	})
	if err != nil {
		return account.Refused
	}
	if n%poisonShare == 0 {
		if rec, err := f.produce(ctx, stream, "{no message"); err == nil {
			f.mu.Lock()
			f.poison[place{rec.Topic, rec.Partition, rec.Offset}] = true
			f.mu.Unlock()
		}
	}
	if _, err := f.produce(ctx, stream, string(text)); err != nil {
		return account.Maybe
	}
	return account.Accepted
}

func (f *feed) produce(ctx context.Context, stream int, text string) (*kgo.Record, error) {
	return f.client.ProduceSync(ctx, &kgo.Record{Key: fmt.Append(nil, "key-", stream), Value: []byte(text)}).First()
}
