package bustest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
)

// faulty is a bus in good order but for what is overridden. A nil func means
// that nothing is.
type faulty struct {
	inner    belfry.Bus
	deliver  func(n *faultyNode, m *belfry.Message, nth int) // nth counts what came to the node, from 1
	publish  func(ctx context.Context, l *faultyLink, m *belfry.Message) error
	batch    func(ctx context.Context, l *faultyLink, messages []*belfry.Message) (int, error)
	reply    func(ctx context.Context, l *faultyLink, to belfry.NodeID, r *belfry.Reply) error
	peers    func(ctx context.Context, l *faultyLink) ([]belfry.NodeID, error)
	close    func(ctx context.Context, l *faultyLink) error
	replay   func(ctx context.Context, l *faultyLink, ns string, after belfry.Offset, f func(*belfry.Message) error) error
	position func(ctx context.Context, l *faultyLink) (belfry.Offset, error)
	before   func(l *faultyLink, a, b belfry.Offset) bool
	keep     func(ctx context.Context, l *faultyLink, s *belfry.Session, ttl time.Duration, held bool) error
	hold     func(ctx context.Context, l *faultyLink, s *belfry.Session, ttl time.Duration, held bool) error
	drop     func(ctx context.Context, l *faultyLink, ns string, id belfry.SessionID) error
	confirm  func(l *faultyLink, after time.Duration)
	address  func(ctx context.Context, l *faultyLink) (map[belfry.NodeID]string, error)
	take     func(ctx context.Context, l *faultyLink, ns string, id belfry.SessionID, silent belfry.NodeID) (*belfry.Session, error)

	store *store

	mu    sync.Mutex
	nodes []*faultyNode
	extra sync.WaitGroup // goroutines that a fault started
}

// faultyNode is what the inner bus sees of a node.
type faultyNode struct {
	belfry.Node
	bus  *faulty
	came atomic.Int64    // messages
	held *belfry.Message // for whoever holds one back
}

// faultyLink is what the suite sees of a link.
type faultyLink struct {
	keeper
	belfry.Directory
	node  *faultyNode
	store *store
}

// factory makes the clusters of a control.
func (f *faulty) factory(t *testing.T) Factory {
	b := memory.New(memory.Options{Log: &memory.Log{MaxMessages: 100_000}})
	f.inner, f.store = b, newStore()
	t.Cleanup(f.extra.Wait)
	return Factory{
		Bus:   func(int) belfry.Bus { return f },
		Keeps: true, Outlives: true, Addresses: true, Batches: true,
		Trim: func(ctx context.Context) error {
			link, err := b.Attach(ctx, newRecorder("trimmer"))
			if err != nil {
				return err
			}
			defer link.Close(ctx)
			return link.Publish(ctx, &belfry.Message{Namespace: "/", Attachments: [][]byte{make([]byte, 65<<20)}})
		},
	}
}

func (f *faulty) Attach(ctx context.Context, n belfry.Node) (belfry.Link, error) {
	node := &faultyNode{Node: n, bus: f}
	link, err := f.inner.Attach(ctx, node)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.nodes = append(f.nodes, node)
	return &faultyLink{link.(keeper), link.(belfry.Directory), node, f.store}, nil
}

func (n *faultyNode) Deliver(m *belfry.Message) {
	defer n.bus.store.delivered(n.ID(), m.Offset)
	nth := int(n.came.Add(1))
	if n.bus.deliver != nil {
		n.bus.deliver(n, m, nth)
		return
	}
	n.Node.Deliver(m)
}

func (l *faultyLink) Publish(ctx context.Context, m *belfry.Message) error {
	if f := l.node.bus.publish; f != nil {
		return f(ctx, l, m)
	}
	return l.keeper.Publish(ctx, m)
}

func (l *faultyLink) Reply(ctx context.Context, to belfry.NodeID, r *belfry.Reply) error {
	if f := l.node.bus.reply; f != nil {
		return f(ctx, l, to, r)
	}
	return l.keeper.Reply(ctx, to, r)
}

func (l *faultyLink) Peers(ctx context.Context) ([]belfry.NodeID, error) {
	if f := l.node.bus.peers; f != nil {
		return f(ctx, l)
	}
	return l.keeper.Peers(ctx)
}

func (l *faultyLink) Close(ctx context.Context) error {
	if f := l.node.bus.close; f != nil {
		return f(ctx, l)
	}
	l.store.bury(l.node.ID())
	return l.keeper.Close(ctx)
}

func (l *faultyLink) Replay(ctx context.Context, ns string, after belfry.Offset, f func(*belfry.Message) error) error {
	if r := l.node.bus.replay; r != nil {
		return r(ctx, l, ns, after, f)
	}
	return l.keeper.Replay(ctx, ns, after, f)
}

func (l *faultyLink) Position(ctx context.Context) (belfry.Offset, error) {
	if f := l.node.bus.position; f != nil {
		return f(ctx, l)
	}
	return l.keeper.Position(ctx)
}

func (l *faultyLink) Before(a, b belfry.Offset) bool {
	if f := l.node.bus.before; f != nil {
		return f(l, a, b)
	}
	return l.keeper.Before(a, b)
}
