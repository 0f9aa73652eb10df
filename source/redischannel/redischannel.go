// Package redischannel is a source of what is published to a channel of Redis.
//
// # Flow
//
//	lease ─ SUBSCRIBE ─ queue ─ handle ─┬ nil: done
//	                                    ├ *PoisonError: XADD dead letters
//	                                    └ other errors: again, after a pause
//
// # One subscriber
//
// Redis gives a message to every subscriber, and it has no name that would tell it
// from an equal one. So one node subscribes, the one with the lease; another takes
// over when it stops or dies.
//
// # What is lost
//
// A channel keeps nothing: what is published while nobody subscribes is lost. That
// is so between the death of the node with the lease and the next, up to the time of
// the lease and a second; while the connection to Redis is away; and with what a node
// that is killed had got and not handed on. It cannot be counted. Whoever must lose
// nothing uses a stream: package redisstream.
//
// A message is not doubled, but for this: a node that was stopped while it handed one
// on, for longer than the lease, may have done so beside its successor.
package redischannel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/source/lease"
)

// Source implements belfry.Source and belfry.BatchSource. One Run or RunBatches at a
// time.
type Source struct {
	o       Options
	lease   lease.Options
	trouble atomic.Pointer[string]
}

var (
	_ belfry.Source      = (*Source)(nil)
	_ belfry.BatchSource = (*Source)(nil)
)

// New returns a source. It does not talk to Redis yet.
func New(o Options) (*Source, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	return &Source{o: o, lease: lease.Options{
		Client: o.Client, Key: lease.Beside(o.Channel, "channel-lease:"+o.Group), Owner: o.Node, TTL: o.Lease, Logger: o.Logger,
	}}, nil
}

// Run implements belfry.Source.
func (s *Source) Run(ctx context.Context, handle func(context.Context, *belfry.Record) error) error {
	return s.RunBatches(ctx, belfry.BatchLimit{Records: 1}, func(ctx context.Context, batch []*belfry.Record) error {
		return handle(ctx, batch[0])
	})
}

// RunBatches implements belfry.BatchSource. A batch has at most 500 messages and 1 MiB,
// unless most says otherwise, and the last of them may be above that.
func (s *Source) RunBatches(ctx context.Context, most belfry.BatchLimit, handle func(context.Context, []*belfry.Record) error) error {
	most.Records, most.Bytes = cmp.Or(most.Records, 500), cmp.Or(most.Bytes, 1<<20)
	return lease.Hold(ctx, s.lease, func(ctx context.Context, t *lease.Term) error {
		for backoff := s.o.Backoff; ctx.Err() == nil; backoff = min(2*backoff, s.o.MaxBackoff) {
			began := time.Now()
			err := s.subscribe(ctx, &outlet{s, t, most, handle})
			if ctx.Err() != nil {
				return nil
			}
			s.unwell(err)
			if time.Since(began) > s.o.MaxBackoff {
				backoff = s.o.Backoff
			}
			pause(ctx, backoff)
		}
		return nil
	})
}

// subscribe hands out what comes over one connection, and says why it is over.
func (s *Source) subscribe(ctx context.Context, o *outlet) error {
	ctx, cancel := context.WithCancel(ctx)
	conn, release := s.o.Client.Dedicate()
	defer release()
	defer conn.Close()
	defer cancel() // before Close: the hook must not wait for the queue
	queue := make(chan rueidis.PubSubMessage, s.o.Queue)
	lost := conn.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: func(m rueidis.PubSubMessage) {
		select {
		case queue <- m:
		case <-ctx.Done():
		}
	}})
	bounded, done := context.WithTimeout(ctx, s.o.Lease)
	err := conn.Do(bounded, conn.B().Subscribe().Channel(s.o.Channel).Build()).Error()
	done()
	if err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	s.trouble.Store(nil)
	for {
		select {
		case m := <-queue:
			o.handOut(ctx, o.batch(m, queue))
		case err := <-lost:
			o.drain(ctx, queue)
			return errors.Join(errors.New("connection lost, and what was published meanwhile"), err)
		case <-ctx.Done():
			return nil
		}
	}
}

// Health reports whether messages can come, and if not, why. It does not block. A
// node that does not have the lease has nothing to report.
func (s *Source) Health() (ok bool, reasons []string) {
	if why := s.trouble.Load(); why != nil {
		return false, []string{"source " + s.o.Channel + ": " + *why}
	}
	return true, nil
}

func (s *Source) unwell(err error) {
	why := fmt.Sprint(err)
	if old := s.trouble.Swap(&why); old == nil || *old != why {
		s.o.Logger.Warn("source: not subscribed", "channel", s.o.Channel, "err", err)
	}
}

// pause waits until d is over or ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
