package bustest

import (
	"context"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

// delayed is a bus in good order that brings messages to other nodes than the
// publisher's some time after Publish has returned.
type delayed struct{ inner belfry.Bus }

func (d *delayed) Attach(ctx context.Context, n belfry.Node) (belfry.Link, error) {
	node := &delayedNode{Node: n, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	link, err := d.inner.Attach(ctx, node)
	if err != nil {
		return nil, err
	}
	go node.run()
	return &delayedLink{keeper: link.(keeper), node: node}, nil
}

// delayedNode delivers from a goroutine of its own.
type delayedNode struct {
	belfry.Node
	wake  chan struct{}
	ended chan struct{}

	mu      sync.Mutex
	waiting []func()
	stopped bool
}

// Deliver waits for its turn only for the publisher's own node.
func (n *delayedNode) Deliver(m *belfry.Message) {
	done := make(chan struct{})
	n.enqueue(func() { defer close(done); n.Node.Deliver(m) })
	if m.Origin == n.ID() {
		<-done
	}
}

func (n *delayedNode) Replied(r *belfry.Reply) { n.enqueue(func() { n.Node.Replied(r) }) }

func (n *delayedNode) enqueue(call func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.waiting = append(n.waiting, call)
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

func (n *delayedNode) run() {
	defer close(n.ended)
	for range n.wake {
		for _, call := range n.all() {
			call()
		}
		if n.isStopped() {
			return
		}
	}
}

func (n *delayedNode) all() []func() {
	n.mu.Lock()
	defer n.mu.Unlock()
	calls := n.waiting
	n.waiting = nil
	return calls
}

func (n *delayedNode) isStopped() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.stopped && len(n.waiting) == 0
}

func (n *delayedNode) stop(ctx context.Context) error {
	n.mu.Lock()
	n.stopped = true
	n.mu.Unlock()
	n.enqueue(func() {})
	select {
	case <-n.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

type delayedLink struct {
	keeper
	node *delayedNode
}

func (l *delayedLink) Close(ctx context.Context) error {
	if err := l.keeper.Close(ctx); err != nil {
		return err
	}
	return l.node.stop(ctx)
}

// Peers learns of changes late.
func (l *delayedLink) Peers(ctx context.Context) ([]belfry.NodeID, error) {
	if err := pause(ctx, time.Millisecond); err != nil {
		return nil, err
	}
	return l.keeper.Peers(ctx)
}
