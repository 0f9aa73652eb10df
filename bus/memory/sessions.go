package memory

import (
	"container/heap"
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
	return &sessions{max: limit, byKey: make(map[sessionKey]*kept)}
}

// keep stores a copy of s, in place of an earlier one.
func (t *sessions) keep(s *belfry.Session, ttl time.Duration) {
	now := time.Now()
	k := &kept{session: *s, expires: now.Add(ttl)}
	k.session.Rooms = slices.Clone(s.Rooms)
	k.session.Data = slices.Clone(s.Data)
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.byKey[k.key()]; old != nil {
		t.drop(old)
	}
	t.expire(now)
	for len(t.byKey) > 0 && len(t.byKey) >= t.max {
		t.drop(t.soonest[0])
	}
	t.byKey[k.key()] = k
	heap.Push(&t.soonest, k)
}

// take hands a session out once.
func (t *sessions) take(namespace string, id belfry.SessionID) (*belfry.Session, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expire(time.Now())
	k := t.byKey[sessionKey{namespace, id}]
	if k == nil {
		return nil, belfry.ErrNoSession
	}
	t.drop(k)
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
