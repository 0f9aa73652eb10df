package bustest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

// store keeps sessions as a bus does whose nodes die one by one. The controls
// break it.
type store struct {
	mu    sync.Mutex
	byKey map[sessionKey]*stored
	dead  map[belfry.NodeID]bool
	after map[belfry.NodeID]time.Duration // of Confirm
	came  map[belfry.NodeID][]delivery
}

type sessionKey struct {
	namespace string
	id        belfry.SessionID
}

type stored struct {
	session belfry.Session
	owner   belfry.NodeID // "": its client is away
	expires time.Time     // if nobody has it
	begun   time.Time     // when its owner began to hold it
}

type delivery struct {
	at     time.Time
	offset belfry.Offset
}

func newStore() *store {
	return &store{
		byKey: map[sessionKey]*stored{}, dead: map[belfry.NodeID]bool{},
		after: map[belfry.NodeID]time.Duration{}, came: map[belfry.NodeID][]delivery{},
	}
}

func (t *store) put(by belfry.NodeID, s *belfry.Session, held bool, x stored) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := sessionKey{s.Namespace, s.ID}
	old := t.byKey[key]
	if held && (old == nil || old.owner != by) {
		return belfry.ErrNoSession
	}
	x.begun = time.Now()
	if held {
		x.begun = old.begun
	}
	x.session = *s
	x.session.Rooms = slices.Clone(s.Rooms)
	x.session.Data = slices.Clone(s.Data)
	if x.owner == "" {
		y := x
		y.owner = by
		x.session = t.lifted(&y, time.Now())
	}
	t.byKey[key] = &x
	return nil
}

func (t *store) hold(by belfry.NodeID, s *belfry.Session, held bool) error {
	return t.put(by, s, held, stored{owner: by})
}

func (t *store) keep(by belfry.NodeID, s *belfry.Session, ttl time.Duration, held bool) error {
	return t.put(by, s, held, stored{expires: time.Now().Add(ttl)})
}

func (t *store) drop(by belfry.NodeID, namespace string, id belfry.SessionID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := sessionKey{namespace, id}
	if s := t.byKey[key]; s != nil && s.owner == by {
		delete(t.byKey, key)
	}
}

// owner returns who holds the session, empty if nobody does.
func (t *store) owner(namespace string, id belfry.SessionID) belfry.NodeID {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.byKey[sessionKey{namespace, id}]; s != nil {
		return s.owner
	}
	return ""
}

func (t *store) take(by belfry.NodeID, namespace string, id belfry.SessionID, silent belfry.NodeID) (*belfry.Session, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := sessionKey{namespace, id}
	s := t.byKey[key]
	switch {
	case s == nil:
		return nil, belfry.ErrNoSession
	case s.owner != "" && !t.dead[s.owner] && s.owner != silent:
		return nil, &belfry.HeldError{Owner: s.owner}
	}
	delete(t.byKey, key)
	if s.owner == "" && time.Now().After(s.expires) {
		return nil, belfry.ErrNoSession
	}
	lifted := t.lifted(s, time.Now())
	t.byKey[key] = &stored{session: lifted, owner: by, begun: time.Now()}
	return &lifted, nil
}

// lifted returns the session as it is when its owner lets go of it: since what
// was delivered so long ago, if it was held then. The caller holds t.mu.
func (t *store) lifted(s *stored, now time.Time) belfry.Session {
	after := t.after[s.owner]
	if after == 0 || now.Sub(s.begun) < after {
		return s.session
	}
	lifted, begin := s.session, s.session.Since
	lifted.Rooms = slices.Clone(s.session.Rooms)
	for _, d := range t.came[s.owner] {
		if now.Sub(d.at) < after {
			break
		}
		lifted.Since = d.offset
	}
	for i, r := range lifted.Rooms {
		if r.Since == begin {
			lifted.Rooms[i].Since = lifted.Since
		}
	}
	return lifted
}

func (t *store) delivered(to belfry.NodeID, o belfry.Offset) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if o != "" {
		t.came[to] = append(t.came[to], delivery{time.Now(), o})
	}
}

func (t *store) confirm(by belfry.NodeID, after time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.after[by] = after
}

// bury makes what a node holds free.
func (t *store) bury(node belfry.NodeID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dead[node] = true
}

func (l *faultyLink) Hold(ctx context.Context, s *belfry.Session, ttl time.Duration, held bool) error {
	if f := l.node.bus.hold; f != nil {
		return f(ctx, l, s, ttl, held)
	}
	return l.store.hold(l.node.ID(), s, held)
}

func (l *faultyLink) Keep(ctx context.Context, s *belfry.Session, ttl time.Duration, held bool) error {
	if f := l.node.bus.keep; f != nil {
		return f(ctx, l, s, ttl, held)
	}
	return l.store.keep(l.node.ID(), s, ttl, held)
}

func (l *faultyLink) Drop(ctx context.Context, ns string, id belfry.SessionID) error {
	if f := l.node.bus.drop; f != nil {
		return f(ctx, l, ns, id)
	}
	l.store.drop(l.node.ID(), ns, id)
	return nil
}

func (l *faultyLink) Take(ctx context.Context, ns string, id belfry.SessionID, silent belfry.NodeID) (*belfry.Session, error) {
	if f := l.node.bus.take; f != nil {
		return f(ctx, l, ns, id, silent)
	}
	return l.store.take(l.node.ID(), ns, id, silent)
}

func (l *faultyLink) Confirm(after time.Duration) {
	if f := l.node.bus.confirm; f != nil {
		f(l, after)
		return
	}
	l.store.confirm(l.node.ID(), after)
}

func (l *faultyLink) Addresses(ctx context.Context) (map[belfry.NodeID]string, error) {
	if f := l.node.bus.address; f != nil {
		return f(ctx, l)
	}
	return l.Directory.Addresses(ctx)
}
