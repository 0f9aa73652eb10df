package redisstream

import (
	"context"
	"errors"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/queue/consume"
)

// Consume implements belfry.Consumer.
func (q *Queue) Consume(ctx context.Context, group string, handle belfry.Handler, o belfry.ConsumeOptions) error {
	return q.ConsumeWith(ctx, group, consume.Plain(handle), o)
}

// ConsumeWith is Consume for handlers that have commands run with the
// acknowledgement.
func (q *Queue) ConsumeWith(ctx context.Context, group string, handle consume.Handler, o belfry.ConsumeOptions) error {
	if group == "" {
		return errors.New("queue: consume: the group has no name")
	}
	if o.Logger == nil {
		o.Logger = q.opts.Logger
	}
	o, err := consume.Complete(o)
	if err != nil {
		return err
	}
	g := &reader{q: q, group: group, consumer: o.Consumer, dedup: o.Dedup}
	if err := g.begin(ctx, o); err != nil {
		return err
	}
	defer g.leave(ctx)
	return consume.Run(ctx, g, handle, o)
}

// begin creates the group. A Redis that is away now is waited for.
func (g *reader) begin(ctx context.Context, o belfry.ConsumeOptions) error {
	for pause := pauseFirst; ; pause = min(2*pause, pauseLongest) {
		err := g.q.createGroups(ctx, g.group)
		switch {
		case err == nil, ctx.Err() != nil:
			return nil // Run sees that ctx has ended
		case !errors.Is(err, belfry.ErrUnavailable):
			return err
		}
		o.Logger.Warn("queue: Redis is waited for", "err", err)
		consume.Sleep(ctx, pause)
	}
}

// forgetAfter is how long a consumer that has nothing is kept in the list of its
// group.
const forgetAfter = time.Hour

// leave takes the consumer off the list of its group if it has nothing left.
func (g *reader) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = g.q.run(ctx, g.q.scripts.tidy, []string{g.q.names.stream}, g.group, g.consumer, millis(forgetAfter)).Error() // others do it in an hour
}
