package memory

import (
	"container/heap"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

// sessions keeps what clients come back to. Expired ones are dropped when the
// store is next used: there is no timer.
type sessions struct {
	max int

	mu      sync.Mutex
	byKey   map[sessionKey]*kept
	soonest expiries
	// held are the sessions whose clients are there: nothing needs to be stored
	// of them, since a node here does not die without the others.
	held map[sessionKey]belfry.NodeID
}

type sessionKey struct {
	namespace string
	id        belfry.SessionID
}

type kept struct {
	session belfry.Session
	expires time.Time
	index   int // in soonest
}

func (k *kept) key() sessionKey { return sessionKey{k.session.Namespace, k.session.ID} }

func newSessions(limit int) *sessions {
	return &sessions{max: limit, byKey: make(map[sessionKey]*kept), held: make(map[sessionKey]belfry.NodeID)}
}

// hold notes that owner has the session; held: that it had it before.
func (t *sessions) hold(s *belfry.Session, owner belfry.NodeID, held bool) error {
	key := sessionKey{s.Namespace, s.ID}
	t.mu.Lock()
	defer t.mu.Unlock()
	if held && t.held[key] != owner {
		return belfry.ErrNoSession
	}
	if k := t.byKey[key]; k != nil {
		t.drop(k)
	}
	t.held[key] = owner
	return nil
}

// keep stores a copy of s, in place of an earlier one.
func (t *sessions) keep(s *belfry.Session, ttl time.Duration, owner belfry.NodeID, held bool) error {
	now := time.Now()
	k := &kept{session: *s, expires: now.Add(ttl)}
	k.session.Rooms = slices.Clone(s.Rooms)
	k.session.Data = slices.Clone(s.Data)
	t.mu.Lock()
	defer t.mu.Unlock()
	if held && t.held[k.key()] != owner {
		return belfry.ErrNoSession
	}
	delete(t.held, k.key())
	if old := t.byKey[k.key()]; old != nil {
		t.drop(old)
	}
	t.expire(now)
	for len(t.byKey) > 0 && len(t.byKey) >= t.max {
		t.drop(t.soonest[0])
	}
	t.byKey[k.key()] = k
	heap.Push(&t.soonest, k)
	return nil
}

// forget drops a session that owner holds.
func (t *sessions) forget(key sessionKey, owner belfry.NodeID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held[key] == owner {
		delete(t.held, key)
	}
}

// abandon drops all that owner holds.
func (t *sessions) abandon(owner belfry.NodeID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.held, func(_ sessionKey, o belfry.NodeID) bool { return o == owner })
}

// take hands a session to a node, once. One that is held is not stored here: from
// a node that is silent there is nothing to get.
func (t *sessions) take(namespace string, id belfry.SessionID, taker, silent belfry.NodeID) (*belfry.Session, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expire(time.Now())
	key := sessionKey{namespace, id}
	if owner, ok := t.held[key]; ok && owner == silent {
		delete(t.held, key)
	} else if ok {
		return nil, &belfry.HeldError{Owner: owner}
	}
	k := t.byKey[key]
	if k == nil {
		return nil, belfry.ErrNoSession
	}
	t.drop(k)
	t.held[key] = taker
	return &k.session, nil
}

func (t *sessions) expire(now time.Time) {
	for len(t.soonest) > 0 && t.soonest[0].expires.Before(now) {
		t.drop(t.soonest[0])
	}
}

func (t *sessions) drop(k *kept) {
	delete(t.byKey, k.key())
	heap.Remove(&t.soonest, k.index)
}

// expiries is a heap: the session that expires first is at 0.
type expiries []*kept

func (e expiries) Len() int           { return len(e) }
func (e expiries) Less(i, j int) bool { return e[i].expires.Before(e[j].expires) }
func (e expiries) Swap(i, j int)      { e[i], e[j] = e[j], e[i]; e[i].index, e[j].index = i, j }

// Push implements heap.Interface.
func (e *expiries) Push(x any) {
	k := x.(*kept)
	k.index = len(*e)
	*e = append(*e, k)
}

// Pop implements heap.Interface.
func (e *expiries) Pop() any {
	last := len(*e) - 1
	k := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	return k
}
