package bustest

import (
	"context"
	"sync"

	"github.com/seed-09a96375/belfry"
)

// swaps holds every tenth message of another node back until the next has been
// delivered.
func swaps() *faulty {
	var mu sync.Mutex
	return onNode1(func(n *faultyNode, m *belfry.Message, nth int) {
		mu.Lock()
		if n.held == nil && nth%10 == 0 && m.Origin != n.ID() {
			n.held = m
			mu.Unlock()
			return
		}
		held := n.held
		n.held = nil
		mu.Unlock()
		n.Node.Deliver(m)
		if held != nil {
			n.Node.Deliver(held)
		}
	})
}

func orderControls() []control {
	return []control{
		{"swaps two messages", "the order of a room is the same on all nodes", "on one and", swaps},
		{"swaps two logged messages", "logged messages arrive in the order of the log", "on one and", swaps},
		{"counts the log backwards", "logged messages arrive in the order of the log", "is followed by", func() *faulty {
			return &faulty{before: func(l *faultyLink, a, b belfry.Offset) bool { return l.keeper.Before(b, a) }}
		}},
		{"delivers two at a time", "deliveries of a room do not overlap", "during another", func() *faulty {
			f := &faulty{}
			f.deliver = func(n *faultyNode, m *belfry.Message, _ int) {
				if m.Origin == n.ID() {
					n.Node.Deliver(m)
					return
				}
				f.extra.Go(func() { n.Node.Deliver(m) })
			}
			f.close = func(ctx context.Context, l *faultyLink) error {
				err := l.keeper.Close(ctx)
				f.extra.Wait()
				return err
			}
			return f
		}},
	}
}
