package stomp_test

import (
	"context"
	"errors"
	"testing"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/stomp"
)

// lossyBus gives away its node, so that a test can tell it of losses.
type lossyBus struct {
	belfry.Bus
	node belfry.Node
}

func (b *lossyBus) Attach(ctx context.Context, n belfry.Node) (belfry.Link, error) {
	b.node = n
	return b.Bus.Attach(ctx, n)
}

// TestLossIsTold to clients that may have missed something, and to no others.
func TestLossIsTold(t *testing.T) {
	bus := &lossyBus{Bus: memory.New(memory.Options{})}
	n := newNodeOn(t, bus, stomp.Options{})
	subscribed, idle := connect(t, n), connect(t, n)
	subscribed.subscribe("1", "/topic/a")
	watcher, ok := bus.node.(belfry.LossWatcher)
	if !ok {
		t.Fatal("the node does not watch for losses")
	}
	watcher.Lost(errors.New("on purpose"))
	must(t, n.io.To("a").Emit(t.Context(), "x"))
	subscribed.wantError("messages were lost", websocket.StatusTryAgainLater)
	idle.quiet()
}

// awayBus accepts nothing.
type awayBus struct{ belfry.Bus }

type awayLink struct{ belfry.Link }

func (b *awayBus) Attach(ctx context.Context, n belfry.Node) (belfry.Link, error) {
	link, err := b.Bus.Attach(ctx, n)
	return &awayLink{link}, err
}

func (*awayLink) Publish(context.Context, *belfry.Message) error { return belfry.ErrUnavailable }

// TestBusAway: a SEND that the cluster has not accepted has no RECEIPT.
func TestBusAway(t *testing.T) {
	c := connect(t, newNodeOn(t, &awayBus{memory.New(memory.Options{})}, stomp.Options{}))
	c.send("SEND", "x", "destination:/topic/a", "receipt:7")
	f := c.wantError("try again later", websocket.StatusTryAgainLater)
	if f.Value("receipt-id") != "7" {
		t.Errorf("ERROR has %q", f.Headers)
	}
}
