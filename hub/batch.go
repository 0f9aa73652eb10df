package hub

import (
	"context"
	"errors"
	"slices"

	"github.com/seed-09a96375/belfry"
)

// PublishAll publishes messages as Publish does, one after the other, in this order;
// where the bus can take many at once it takes few steps. It returns how many of them,
// from the first on, are accepted, now or before, and, unless these are all, why the
// next is not; see belfry.Batcher.
func (sp *Space) PublishAll(ctx context.Context, messages []*belfry.Message) (accepted int, err error) {
	if slices.ContainsFunc(messages, func(m *belfry.Message) bool { return sp.takes(m) != nil }) {
		return publishEach(ctx, messages, sp.Publish)
	}
	return sp.SendAll(ctx, messages)
}

// SendAll is PublishAll by the bus alone, whatever OnPublish has set.
func (sp *Space) SendAll(ctx context.Context, messages []*belfry.Message) (accepted int, err error) {
	b, ok := sp.hub.link.(belfry.Batcher)
	if !ok || slices.ContainsFunc(messages, func(m *belfry.Message) bool { return m.Kind != belfry.Emit }) {
		return publishEach(ctx, messages, sp.Send)
	}
	for _, m := range messages {
		m.Namespace = sp.name
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, sp.hub.opts.PublishTimeout)
		defer cancel()
	}
	accepted, err = b.PublishAll(ctx, messages)
	sp.hub.tally.countAll(accepted, err)
	return accepted, err
}

func publishEach(ctx context.Context, messages []*belfry.Message, publish func(context.Context, *belfry.Message) error) (accepted int, err error) {
	for i, m := range messages {
		if err := publish(ctx, m); err != nil && !errors.Is(err, belfry.ErrDuplicate) {
			return i, err
		}
	}
	return len(messages), nil
}
