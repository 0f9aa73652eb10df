package bustest

import (
	"context"
	"errors"
	"time"

	"github.com/seed-09a96375/belfry"
)

func holdingControls() []control {
	held, meanwhile := "a session that is held is not free", "who holds a session no longer learns it"
	force, outlives := "a session is taken by force", "a session outlives the node that held it"
	return []control{
		{"gives away what is held", held, "want a HeldError", taking(func(l *faultyLink, ns string, id belfry.SessionID, _ belfry.NodeID) (*belfry.Session, error) {
			return l.store.take(l.node.ID(), ns, id, l.store.owner(ns, id))
		})},
		{"names the wrong owner", held, "is held by", taking(func(l *faultyLink, ns string, id belfry.SessionID, silent belfry.NodeID) (*belfry.Session, error) {
			s, err := l.store.take(l.node.ID(), ns, id, silent)
			if errors.As(err, new(*belfry.HeldError)) {
				err = &belfry.HeldError{Owner: l.node.ID()}
			}
			return s, err
		})},
		{"holds what is kept", "a session that is kept is held no longer", "take what was kept", func() *faulty {
			return &faulty{keep: func(_ context.Context, l *faultyLink, s *belfry.Session, _ time.Duration, held bool) error {
				return l.store.hold(l.node.ID(), s, held)
			}}
		}},
		{"does not drop", "a session that is dropped is gone", "want ErrNoSession", func() *faulty {
			return &faulty{drop: func(context.Context, *faultyLink, string, belfry.SessionID) error { return nil }}
		}},
		{"drops what others hold", "a session that is dropped is gone", "want a HeldError", func() *faulty {
			return &faulty{drop: func(_ context.Context, l *faultyLink, ns string, id belfry.SessionID) error {
				if s, err := l.store.take(l.node.ID(), ns, id, l.store.owner(ns, id)); err == nil {
					l.store.drop(l.node.ID(), ns, s.ID)
				}
				return nil
			}}
		}},
		{"holds what was taken", meanwhile, "want ErrNoSession", func() *faulty {
			return &faulty{hold: func(_ context.Context, l *faultyLink, s *belfry.Session, _ time.Duration, _ bool) error {
				return l.store.hold(l.node.ID(), s, false)
			}}
		}},
		{"keeps what was taken", meanwhile, "want ErrNoSession", func() *faulty {
			return &faulty{keep: func(_ context.Context, l *faultyLink, s *belfry.Session, ttl time.Duration, _ bool) error {
				return l.store.keep(l.node.ID(), s, ttl, false)
			}}
		}},
		{"knows no force", force, "take by force", taking(func(l *faultyLink, ns string, id belfry.SessionID, _ belfry.NodeID) (*belfry.Session, error) {
			return l.store.take(l.node.ID(), ns, id, "")
		})},
		{"takes by force and leaves it there", force, "is not held any more", taking(func(l *faultyLink, ns string, id belfry.SessionID, silent belfry.NodeID) (*belfry.Session, error) {
			s, err := l.store.take(l.node.ID(), ns, id, silent)
			if err == nil {
				_ = l.store.hold("node0", s, false)
			}
			return s, err
		})},
		{"buries sessions with their node", outlives, "from a node that is gone", func() *faulty {
			return &faulty{close: func(ctx context.Context, l *faultyLink) error {
				l.store.drop(l.node.ID(), namespace, "s")
				return l.keeper.Close(ctx)
			}}
		}},
		{"takes the closed for alive", outlives, "from a node that is gone", func() *faulty {
			return &faulty{close: func(ctx context.Context, l *faultyLink) error { return l.keeper.Close(ctx) }}
		}},
		{"forgets what is confirmed", "what is confirmed is not missed", "want what was delivered", confirmingAs(func(*faultyLink, time.Duration) {})},
		{"confirms for new sessions", "what is confirmed is not about new sessions", "was moved", confirmingAs(func(l *faultyLink, _ time.Duration) {
			l.store.confirm(l.node.ID(), 1)
		})},
		{"confirms for all nodes", "what is not confirmed is not skipped", "was moved", confirmingAs(func(l *faultyLink, after time.Duration) {
			l.store.confirm("node0", after)
		})},
	}
}

func taking(f func(*faultyLink, string, belfry.SessionID, belfry.NodeID) (*belfry.Session, error)) func() *faulty {
	return func() *faulty {
		return &faulty{take: func(_ context.Context, l *faultyLink, ns string, id belfry.SessionID, silent belfry.NodeID) (*belfry.Session, error) {
			return f(l, ns, id, silent)
		}}
	}
}

func confirmingAs(f func(*faultyLink, time.Duration)) func() *faulty {
	return func() *faulty { return &faulty{confirm: f} }
}
