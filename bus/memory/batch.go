package memory

import (
	"context"
	"errors"

	"github.com/seed-09a96375/belfry"
)

// PublishAll implements belfry.Batcher. What its own node's clients get of the messages
// is written together, if the node can do that.
func (l *link) PublishAll(ctx context.Context, messages []*belfry.Message) (accepted int, err error) {
	t := &together{node: l.node}
	defer t.part()
	for i, m := range messages {
		if err := l.publish(ctx, m, t); err != nil && !errors.Is(err, belfry.ErrDuplicate) {
			return i, err
		}
	}
	return len(messages), nil
}

// outlet is what the publisher's own node gets a message by.
type outlet interface {
	Deliver(m *belfry.Message)
	// part is called before the publisher waits for others.
	part()
}

// single delivers each message by itself.
type single struct{ belfry.Node }

func (single) part() {}

// together delivers messages as bundles: a new one begins after each wait.
type together struct {
	node   belfry.Node
	bundle belfry.Bundle // nil: none
}

// Deliver hands a message over.
func (t *together) Deliver(m *belfry.Message) {
	if t.bundle == nil {
		n, ok := t.node.(belfry.Bundler)
		if !ok {
			t.node.Deliver(m)
			return
		}
		t.bundle = n.Bundle()
	}
	t.bundle.Deliver(m)
}

func (t *together) part() {
	if t.bundle != nil {
		t.bundle.End()
		t.bundle = nil
	}
}
