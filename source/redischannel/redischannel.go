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
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/source/lease"
)

// Source implements belfry.Source. One Run at a time.
type Source struct {
	o       Options
	lease   lease.Options
	trouble atomic.Pointer[string]
}

var _ belfry.Source = (*Source)(nil)

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
	return lease.Hold(ctx, s.lease, func(ctx context.Context, t *lease.Term) error {
		for backoff := s.o.Backoff; ctx.Err() == nil; backoff = min(2*backoff, s.o.MaxBackoff) {
			began := time.Now()
			err := s.subscribe(ctx, t, handle)
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
func (s *Source) subscribe(ctx context.Context, t *lease.Term, handle func(context.Context, *belfry.Record) error) error {
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
			s.handOut(ctx, t, m, handle)
		case err := <-lost:
			s.drain(ctx, t, queue, handle)
			return errors.Join(errors.New("connection lost, and what was published meanwhile"), err)
		case <-ctx.Done():
			return nil
		}
	}
}

// drain hands out what came before the connection was lost.
func (s *Source) drain(ctx context.Context, t *lease.Term, queue <-chan rueidis.PubSubMessage, handle func(context.Context, *belfry.Record) error) {
	for {
		select {
		case m := <-queue:
			s.handOut(ctx, t, m, handle)
		default:
			return
		}
	}
}

// handOut hands out a message until it is done with, ctx ends or the lease is lost.
func (s *Source) handOut(ctx context.Context, t *lease.Term, m rueidis.PubSubMessage, handle func(context.Context, *belfry.Record) error) {
	rec := &belfry.Record{Value: []byte(m.Message), Meta: map[string]string{"channel": m.Channel}, Time: time.Now()}
	for backoff := s.o.Backoff; ctx.Err() == nil && t.Valid(); backoff = min(2*backoff, s.o.MaxBackoff) {
		err := handle(ctx, rec)
		var poison *belfry.PoisonError
		if errors.As(err, &poison) {
			err = s.putAside(ctx, rec, poison.Reason)
		}
		if err == nil {
			return
		}
		s.o.Logger.Warn("source: message not handled, again later", "channel", s.o.Channel, "err", err)
		pause(ctx, backoff)
	}
	s.o.Logger.Warn("source: message given up, since the node stops or another has the lease", "channel", s.o.Channel)
}

// Dead is the key of the stream with the dead letters of a channel.
func Dead(channel string) string { return lease.Beside(channel, "dead") }

// putAside makes a dead letter of a message.
func (s *Source) putAside(ctx context.Context, rec *belfry.Record, reason error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.o.Lease)
	defer cancel()
	why := fmt.Sprint(reason)
	why = strings.ToValidUTF8(why[:min(len(why), 1024)], "")
	c := s.o.Client.B().Xadd().Key(Dead(s.o.Channel)).Maxlen().Almost().Threshold(strconv.Itoa(s.o.MaxDead)).Id("*").FieldValue().
		FieldValue("value", string(rec.Value)).FieldValue("dead:reason", why).
		FieldValue("dead:time", rec.Time.UTC().Format(time.RFC3339Nano)).Build()
	if err := s.o.Client.Do(ctx, c).Error(); err != nil {
		return fmt.Errorf("put aside: %w", err)
	}
	s.o.Logger.Warn("source: dead letter", "channel", s.o.Channel, "reason", why)
	return nil
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
