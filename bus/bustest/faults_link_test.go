package bustest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/seed-09a96375/belfry"
)

func linkControls() []control {
	peers, closed, after := "peers are the attached nodes", "a closed link says so", "nothing comes after close"
	comeAndGo := "nodes come and go under fire"
	return []control{
		{"does not forget who left", peers, "after a close", func() *faulty {
			var mu sync.Mutex
			var known []belfry.NodeID
			return &faulty{peers: func(ctx context.Context, l *faultyLink) ([]belfry.NodeID, error) {
				mu.Lock()
				defer mu.Unlock()
				now, err := l.keeper.Peers(ctx)
				known = slices.Compact(slices.Sorted(slices.Values(append(known, now...))))
				return slices.Clone(known), err
			}}
		}},
		{"leaves itself out of the peers", peers, "itself", func() *faulty {
			return &faulty{peers: func(ctx context.Context, l *faultyLink) ([]belfry.NodeID, error) {
				all, err := l.keeper.Peers(ctx)
				return slices.DeleteFunc(all, func(id belfry.NodeID) bool { return id == l.node.ID() }), err
			}}
		}},
		{"says another error when closed", closed, "ErrClosed", func() *faulty {
			return &faulty{peers: func(ctx context.Context, l *faultyLink) ([]belfry.NodeID, error) {
				all, err := l.keeper.Peers(ctx)
				if err != nil {
					err = errors.New("use of closed connection")
				}
				return all, err
			}}
		}},
		{"publishes when closed", closed, "ErrClosed", func() *faulty {
			return &faulty{publish: func(ctx context.Context, l *faultyLink, m *belfry.Message) error {
				err := l.keeper.Publish(ctx, m)
				if errors.Is(err, belfry.ErrClosed) {
					return nil
				}
				return err
			}}
		}},
		{"delivers after close", after, "after Close returned", func() *faulty {
			return &faulty{deliver: func(n *faultyNode, m *belfry.Message, _ int) {
				n.Node.Deliver(m)
				if n.ID() != "node0" && m.Origin == n.ID() {
					n.bus.nodes[0].Node.Deliver(m)
				}
			}}
		}},
		{"closes without waiting", "close waits for what runs", "while Deliver was running", func() *faulty {
			f := &faulty{}
			f.close = func(ctx context.Context, l *faultyLink) error {
				f.extra.Go(func() { _ = l.keeper.Close(context.WithoutCancel(ctx)) })
				return nil
			}
			return f
		}},
		{"begins late after attach", comeAndGo, "heard", func() *faulty {
			return &faulty{deliver: func(n *faultyNode, m *belfry.Message, nth int) {
				if len(n.ID()) == len("node0") && n.ID() < "node2" || nth > 3 {
					n.Node.Deliver(m)
				}
			}}
		}},
		{"loses a message under fire", comeAndGo, "heard", func() *faulty {
			return &faulty{deliver: func(n *faultyNode, m *belfry.Message, nth int) {
				if len(n.ID()) == len("node0") && n.ID() < "node2" || nth != 3 {
					n.Node.Deliver(m)
				}
			}}
		}},
		{"ignores the context", "publish ends with its context", "still blocks", func() *faulty {
			return &faulty{publish: func(ctx context.Context, l *faultyLink, m *belfry.Message) error {
				return l.keeper.Publish(context.WithoutCancel(ctx), m)
			}}
		}},
		{"gives up too easily", "publish ends with its context", "returned nil", func() *faulty {
			return &faulty{publish: func(ctx context.Context, l *faultyLink, m *belfry.Message) error {
				err := l.keeper.Publish(ctx, m)
				if errors.Is(err, context.DeadlineExceeded) {
					return nil
				}
				return err
			}}
		}},
	}
}
