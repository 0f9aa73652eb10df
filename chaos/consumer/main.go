// Command consumer is a backend as the Go SDK has it be: it handles the events of a
// queue, and writes down what it does. It is one of those that are killed.
//
//	consumer -redis URL -name NAME -log FILE [-broken]
//
// Package backend reads the log, and says what becomes of the events.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/seed-09a96375/belfry/chaos/backend"
	"github.com/seed-09a96375/belfry/client"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "consumer:", err)
		os.Exit(1)
	}
}

func run() error {
	redis := flag.String("redis", "", "`URL` of the Redis with the queue")
	name := flag.String("name", "", "`name` of the consumer")
	file := flag.String("log", "", "`file` to write to")
	broken := flag.Bool("broken", false, "do what one must not: the control")
	flag.Parse()
	log, err := os.OpenFile(*file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	c, err := connect(ctx, *redis)
	if err != nil {
		return err
	}
	defer c.Close()
	w := &worker{name: *name, log: log}
	defer w.late.Wait()
	handle, o := w.handle, client.ConsumeOptions{
		Consumer: *name, Concurrency: 32, ReclaimAfter: reclaimAfter, Dedup: time.Hour, MaxTries: -1,
		MaxBackoff: time.Second,
	}
	if *broken {
		handle, o.Dedup, o.Unordered = w.handleWrongly, 0, true
	}
	return c.Consume(ctx, backend.Queue, backend.Group, handle, o)
}

// reclaimAfter is short: consumers are killed every few seconds.
const reclaimAfter = 2 * time.Second

// connect tries until Redis is there: it may be away when a consumer comes back.
func connect(ctx context.Context, redis string) (*client.Client, error) {
	for {
		c, err := client.New(ctx, client.Options{Redis: redis})
		if err == nil {
			return c, nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return nil, err
		}
	}
}

type worker struct {
	name string
	log  *os.File
	late sync.WaitGroup
}

// handle does its work in one step with the acknowledgement.
func (w *worker) handle(_ context.Context, d *client.Delivery) (any, error) {
	order, err := backend.DecodeOrder(d.Args)
	if err != nil {
		return nil, &client.PoisonError{Reason: err}
	}
	w.write(backend.Begun, d, order)
	time.Sleep(rand.N(workTime))
	d.Also("RPUSH", backend.Effects, order.String())
	w.write(backend.Ended, d, order)
	return nil, nil
}

// workTime is how long the work takes at the most: long enough to be killed in it.
const workTime = 80 * time.Millisecond

// wrongTime is between the work and the acknowledgement, when they are two steps.
const wrongTime = 500 * time.Millisecond

// handleWrongly acknowledges half of the events before the work, and the others a
// while after it. Who is killed in between loses them, or has them done twice.
func (w *worker) handleWrongly(_ context.Context, d *client.Delivery) (any, error) {
	order, err := backend.DecodeOrder(d.Args)
	if err != nil {
		return nil, &client.PoisonError{Reason: err}
	}
	w.write(backend.Begun, d, order)
	if order.Number%2 == 0 {
		entry := *d.Delivery
		w.late.Go(func() {
			time.Sleep(wrongTime)
			w.write(backend.Done, &client.Delivery{Delivery: &entry}, order)
		})
		return nil, nil
	}
	w.write(backend.Done, d, order)
	time.Sleep(wrongTime)
	return nil, nil
}

// write adds a line to the log, which outlives the process.
func (w *worker) write(kind backend.Kind, d *client.Delivery, o backend.Order) {
	l := backend.Line{
		Kind: kind, At: time.Now().UnixNano(), Consumer: w.name,
		Entry: d.Entry, Tries: d.Tries, Order: o,
	}
	if _, err := fmt.Fprintln(w.log, l); err != nil {
		panic(err)
	}
}
