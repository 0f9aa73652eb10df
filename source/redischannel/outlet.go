package redischannel

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/source/lease"
)

// outlet hands messages out during one term.
type outlet struct {
	*Source
	term   *lease.Term
	most   belfry.BatchLimit
	handle func(context.Context, []*belfry.Record) error
}

// batch takes what waits in the queue after its first message, as much as a batch may
// have.
func (o *outlet) batch(first rueidis.PubSubMessage, queue <-chan rueidis.PubSubMessage) []*belfry.Record {
	now := time.Now()
	all := []*belfry.Record{record(first, now)}
	for size := len(first.Message); len(all) < o.most.Records && size < o.most.Bytes; {
		select {
		case m := <-queue:
			size += len(m.Message)
			all = append(all, record(m, now))
		default:
			return all
		}
	}
	return all
}

func record(m rueidis.PubSubMessage, now time.Time) *belfry.Record {
	return &belfry.Record{Value: []byte(m.Message), Meta: map[string]string{"channel": m.Channel}, Time: now}
}

// drain hands out what came before the connection was lost.
func (o *outlet) drain(ctx context.Context, queue <-chan rueidis.PubSubMessage) {
	for {
		select {
		case m := <-queue:
			o.handOut(ctx, o.batch(m, queue))
		default:
			return
		}
	}
}

// handOut hands out messages until they are done with, ctx ends or the lease is lost.
func (o *outlet) handOut(ctx context.Context, batch []*belfry.Record) {
	for backoff := o.o.Backoff; ctx.Err() == nil && o.term.Valid(); backoff = min(2*backoff, o.o.MaxBackoff) {
		n, poison, err := belfry.BatchVerdict(o.handle(ctx, batch), len(batch))
		for i, rec := range batch[:n] {
			if poison[i] != nil {
				o.putAside(ctx, rec, poison[i])
			}
		}
		if batch = batch[n:]; len(batch) == 0 {
			return
		}
		o.o.Logger.Warn("source: message not handled, again later", "channel", o.o.Channel, "err", err)
		pause(ctx, backoff)
	}
	o.o.Logger.Warn("source: messages given up, since the node stops or another has the lease",
		"channel", o.o.Channel, "messages", len(batch))
}

// Dead is the key of the stream with the dead letters of a channel.
func Dead(channel string) string { return lease.Beside(channel, "dead") }

// putAside makes a dead letter of a message, unless ctx ends or the lease is lost
// before that succeeds.
func (o *outlet) putAside(ctx context.Context, rec *belfry.Record, reason error) {
	for backoff := o.o.Backoff; o.term.Valid(); backoff = min(2*backoff, o.o.MaxBackoff) {
		err := o.bury(ctx, rec, reason)
		if err == nil {
			o.o.Logger.Warn("source: dead letter", "channel", o.o.Channel, "reason", why(reason))
			return
		}
		o.o.Logger.Warn("source: message not put aside, again later", "channel", o.o.Channel, "err", err)
		if pause(ctx, backoff); ctx.Err() != nil {
			return
		}
	}
}

func (o *outlet) bury(ctx context.Context, rec *belfry.Record, reason error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.o.Lease)
	defer cancel()
	c := o.o.Client.B().Xadd().Key(Dead(o.o.Channel)).Maxlen().Almost().Threshold(strconv.Itoa(o.o.MaxDead)).Id("*").FieldValue().
		FieldValue("value", string(rec.Value)).FieldValue("dead:reason", why(reason)).
		FieldValue("dead:time", rec.Time.UTC().Format(time.RFC3339Nano)).Build()
	if err := o.o.Client.Do(ctx, c).Error(); err != nil {
		return fmt.Errorf("put aside: %w", err)
	}
	return nil
}

// why is the reason of a dead letter, of at most a kilobyte.
func why(reason error) string {
	text := fmt.Sprint(reason)
	return strings.ToValidUTF8(text[:min(len(text), 1024)], "")
}
