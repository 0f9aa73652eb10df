package bustest

import (
	"context"
	"errors"
	"slices"

	"github.com/seed-09a96375/belfry"
)

func requestControls() []control {
	replies := "replies reach the node that asked"
	return []control{
		{"replies to everyone", replies, "replies to one question", func() *faulty {
			return &faulty{reply: func(ctx context.Context, l *faultyLink, _ belfry.NodeID, r *belfry.Reply) error {
				all, err := l.keeper.Peers(ctx)
				for _, id := range all {
					c := *r
					err = errors.Join(err, l.keeper.Reply(ctx, id, &c))
				}
				return err
			}}
		}},
		{"replies to the wrong node", replies, "body", func() *faulty {
			return &faulty{reply: func(ctx context.Context, l *faultyLink, to belfry.NodeID, r *belfry.Reply) error {
				next := map[belfry.NodeID]belfry.NodeID{"node0": "node1", "node1": "node2", "node2": "node0"}
				return l.keeper.Reply(ctx, next[to], r)
			}}
		}},
		{"loses the reason", replies, "error", func() *faulty {
			return &faulty{reply: func(ctx context.Context, l *faultyLink, to belfry.NodeID, r *belfry.Reply) error {
				r.Err = ""
				return l.keeper.Reply(ctx, to, r)
			}}
		}},
		{"minds who is gone", "a reply to a node that is gone is no error", "no such node", func() *faulty {
			return &faulty{reply: func(ctx context.Context, l *faultyLink, to belfry.NodeID, r *belfry.Reply) error {
				if all, err := l.keeper.Peers(ctx); err != nil || !slices.Contains(all, to) {
					return errors.New("no such node")
				}
				return l.keeper.Reply(ctx, to, r)
			}}
		}},
	}
}
