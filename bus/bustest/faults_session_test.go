package bustest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

func sessionControls() []control {
	content, once, expiry := "a session comes back as it was kept", "a session is taken once", "a session expires, but not too soon"
	return []control{
		{"loses when a room was joined", content, "took", keepAs(func(s *belfry.Session) {
			s.Rooms = slices.Clone(s.Rooms)
			for i := range s.Rooms {
				s.Rooms[i].Since = ""
			}
		})},
		{"makes data of no data", content, "no data is nil", keepAs(func(s *belfry.Session) {
			if s.Data == nil {
				s.Data = []byte("null")
			}
		})},
		{"hands a session out twice", once, "callers got session", func() *faulty {
			var mu sync.Mutex
			var last *belfry.Session
			return &faulty{take: func(ctx context.Context, l *faultyLink, ns string, id belfry.SessionID, silent belfry.NodeID) (*belfry.Session, error) {
				mu.Lock()
				defer mu.Unlock()
				if last != nil && last.ID == id {
					s := last
					last = nil
					return s, nil
				}
				s, err := l.store.take(l.node.ID(), ns, id, silent)
				if err == nil {
					last = s
				}
				return s, err
			}}
		}},
		{"hands a session to nobody", once, "0 of 50 callers", func() *faulty {
			return &faulty{take: func(context.Context, *faultyLink, string, belfry.SessionID, belfry.NodeID) (*belfry.Session, error) {
				return nil, belfry.ErrNoSession
			}}
		}},
		{"keeps the first session", "a second keep replaces the first", "took the session with", func() *faulty {
			var kept sync.Map
			return &faulty{keep: func(ctx context.Context, l *faultyLink, s *belfry.Session, ttl time.Duration, held bool) error {
				if _, again := kept.LoadOrStore(s.ID, true); again {
					return nil
				}
				return l.store.keep(l.node.ID(), s, ttl, held)
			}}
		}},
		{"keeps sessions forever", expiry, "still there", withTTL(func(time.Duration) time.Duration { return time.Hour })},
		{"drops sessions too soon", expiry, "was gone after", withTTL(func(ttl time.Duration) time.Duration { return ttl / 3 })},
		{"mixes the sessions of namespaces", "a session belongs to its namespace", "", keepAs(func(s *belfry.Session) { s.Namespace = namespace })},
		{"takes from any namespace", "a session belongs to its namespace", "want ErrNoSession", func() *faulty {
			return &faulty{take: func(ctx context.Context, l *faultyLink, _ string, id belfry.SessionID, silent belfry.NodeID) (*belfry.Session, error) {
				return l.store.take(l.node.ID(), namespace, id, silent)
			}}
		}},
	}
}

// keepAs keeps a changed copy.
func keepAs(change func(s *belfry.Session)) func() *faulty {
	return func() *faulty {
		return &faulty{keep: func(ctx context.Context, l *faultyLink, s *belfry.Session, ttl time.Duration, held bool) error {
			c := *s
			change(&c)
			return l.store.keep(l.node.ID(), &c, ttl, held)
		}}
	}
}

func withTTL(change func(time.Duration) time.Duration) func() *faulty {
	return func() *faulty {
		return &faulty{keep: func(ctx context.Context, l *faultyLink, s *belfry.Session, ttl time.Duration, held bool) error {
			return l.store.keep(l.node.ID(), s, change(ttl), held)
		}}
	}
}
