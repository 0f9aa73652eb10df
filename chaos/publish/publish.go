// Package publish sends the numbered messages of an experiment over the HTTP
// interface of the nodes, and notes what became of each as far as it can know.
//
//	POST /publish {"room":"3","stream":7,"number":12}
//	204  accepted by the cluster
//	503  not accepted: it is offered again, to another node
//	else, or no answer: nobody knows; it is not offered again
package publish

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry/chaos/account"
)

// Options of a Publisher.
type Options struct {
	// Nodes are the base URLs of the nodes. A stream goes to the node of its
	// number as long as that accepts, so that all nodes publish at the same time.
	Nodes []string
	// Streams are the rooms that the streams go to.
	Streams []int
	// Via is the way of the messages.
	Via Via
	// Offer is another way, in place of Via: it brings one message where it belongs.
	Offer func(ctx context.Context, stream, n int) account.Outcome
	// More says that messages have to go on, beyond the number that is asked for. nil:
	// they need not.
	More func() bool
	// Redis is for ByStream.
	Redis rueidis.Client
	// Patience is how long one message is offered. Default 40 s.
	Patience time.Duration
	// Fault is what the publisher does wrong on purpose, "" for nothing: the
	// control of the checker.
	Fault Fault
	// Seed decides which messages the Fault concerns.
	Seed uint64
}

// Fault is something that a publisher does to one message of a hundred.
type Fault string

const (
	Double Fault = "double" // publish it twice
	Lose   Fault = "lose"   // say that it was published, and do not
	Swap   Fault = "swap"   // publish it after the next one
)

const (
	defaultPatience = 40 * time.Second
	// answerTime is how long a node may take: longer than it lets a message wait
	// for its bus.
	answerTime = 15 * time.Second
	// avoidTime is how long a node is left alone after it did not accept.
	avoidTime = time.Second
)

// Publisher sends streams. Use it once.
type Publisher struct {
	o      Options
	client *http.Client

	mu      sync.Mutex
	sent    account.Sent
	avoided map[int]time.Time // node: since when

	poisoned int
}

// New makes a publisher.
func New(o Options) *Publisher {
	if o.Patience == 0 {
		o.Patience = defaultPatience
	}
	return &Publisher{
		o:       o,
		client:  &http.Client{Timeout: answerTime, Transport: &http.Transport{MaxIdleConnsPerHost: len(o.Streams)}},
		sent:    make(account.Sent, len(o.Streams)),
		avoided: make(map[int]time.Time),
	}
}

// Run publishes so many messages of each of the streams, or More, at a pace that takes
// the given time if nothing is in the way. It returns when all have an outcome or
// ctx ends.
func (p *Publisher) Run(ctx context.Context, streams []int, messages int, over time.Duration) {
	var running sync.WaitGroup
	for _, stream := range streams {
		running.Go(func() { p.publish(ctx, stream, messages, over/time.Duration(messages)) })
	}
	running.Wait()
	p.client.CloseIdleConnections()
}

// Sent is what was sent so far.
func (p *Publisher) Sent() account.Sent {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make(account.Sent, len(p.sent))
	for i := range p.sent {
		all[i] = append([]account.Message(nil), p.sent[i]...)
	}
	return all
}

// publish sends one stream in order, at an even pace, and catches up after a
// delay.
func (p *Publisher) publish(ctx context.Context, stream, messages int, pace time.Duration) {
	rng := rand.New(rand.NewPCG(p.o.Seed, uint64(stream)))
	start := time.Now().Add(time.Duration(rng.Int64N(int64(pace) + 1)))
	for n := 0; n < messages || p.o.More != nil && p.o.More(); n++ {
		if !sleep(ctx, time.Until(start.Add(time.Duration(n)*pace))) {
			return
		}
		faulty := p.o.Fault != "" && n+1 < messages && rng.IntN(100) == 0
		if faulty && p.o.Fault == Swap {
			p.swap(ctx, stream, n)
			n++
			continue
		}
		p.note(stream, n)
		p.settle(stream, n, p.one(ctx, stream, n, faulty))
	}
}

func (p *Publisher) one(ctx context.Context, stream, n int, faulty bool) account.Outcome {
	if faulty && p.o.Fault == Lose {
		return account.Accepted
	}
	if faulty && p.o.Fault == Double {
		p.way()(ctx, stream, n)
	}
	return p.way()(ctx, stream, n)
}

func (p *Publisher) swap(ctx context.Context, stream, n int) {
	p.note(stream, n)
	p.note(stream, n+1)
	p.settle(stream, n+1, p.way()(ctx, stream, n+1))
	p.settle(stream, n, p.way()(ctx, stream, n))
}

// note takes a message into account before it leaves: it may arrive before its
// outcome is known.
func (p *Publisher) note(stream, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent[stream] = append(p.sent[stream][:n], account.Message{Outcome: account.Maybe, Begun: time.Now().UnixMilli()})
}

func (p *Publisher) settle(stream, n int, o account.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent[stream][n].Outcome = o
}

func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
