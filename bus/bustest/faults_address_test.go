package bustest

import (
	"context"

	"github.com/seed-09a96375/belfry"
)

func addressControls() []control {
	alone, addresses := "a message for one node reaches it alone", "nodes know each other's addresses"
	return []control{
		{"tells all what is for one", alone, "got", sentTo(func(m *belfry.Message) { m.To = "" })},
		{"loses what is for one", alone, "waited in vain", sentTo(func(m *belfry.Message) {
			if m.To == "node2" {
				m.To = "nobody"
			}
		})},
		{"fails when the node is gone", alone, "publish for node no such node", func() *faulty {
			return &faulty{publish: func(ctx context.Context, l *faultyLink, m *belfry.Message) error {
				if m.To == "no such node" {
					return belfry.ErrUnavailable
				}
				return l.keeper.Publish(ctx, m)
			}}
		}},
		{"logs what is for one", "a message for one node is not logged", "offset", sentTo(func(m *belfry.Message) { m.To = "" })},
		{"has no addresses", addresses, "addresses map[], want", func() *faulty {
			return &faulty{address: func(context.Context, *faultyLink) (map[belfry.NodeID]string, error) { return nil, nil }}
		}},
		{"keeps the addresses of the dead", addresses, "after a close", func() *faulty {
			all := map[belfry.NodeID]string{}
			return &faulty{address: func(ctx context.Context, l *faultyLink) (map[belfry.NodeID]string, error) {
				now, err := l.Directory.Addresses(ctx)
				for node, url := range now {
					all[node] = url
				}
				return all, err
			}}
		}},
	}
}

// sentTo changes whom a message is for.
func sentTo(change func(m *belfry.Message)) func() *faulty {
	return func() *faulty {
		return &faulty{publish: func(ctx context.Context, l *faultyLink, m *belfry.Message) error {
			change(m)
			return l.keeper.Publish(ctx, m)
		}}
	}
}
