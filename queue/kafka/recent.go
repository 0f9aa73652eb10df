package kafka

import (
	"sync"
	"time"
)

// recent remembers ids, for one window to two. Safe for concurrent use.
type recent struct {
	window time.Duration
	most   int // ids of a window

	mu    sync.Mutex
	young map[string]*attempt // of this window
	old   map[string]*attempt // of the one before
	turn  time.Time           // when young becomes old
}

// attempt is what becomes of the record with an id.
type attempt struct {
	done chan struct{} // closed at the end
	err  error         // then: why it is not stored, or may not be; nil: it is
}

func newRecent(window time.Duration, most int) *recent {
	return &recent{window: window, most: max(most/2, 1), young: make(map[string]*attempt)}
}

// enter returns the attempt for an id; first is who has to see to it that it ends.
func (r *recent) enter(now time.Time, id string) (a *attempt, first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.After(r.turn) || len(r.young) >= r.most {
		if now.After(r.turn.Add(r.window)) {
			r.young = nil // nothing came for a window
		}
		r.old, r.young = r.young, make(map[string]*attempt)
		r.turn = now.Add(r.window)
	}
	if a = r.young[id]; a == nil {
		a = r.old[id]
	}
	if a != nil {
		return a, false
	}
	a = &attempt{done: make(chan struct{})}
	r.young[id] = a
	return a, true
}

// leave ends an attempt. One that failed is forgotten: the next may do it.
func (r *recent) leave(id string, a *attempt, err error) {
	if err != nil {
		r.mu.Lock()
		for _, ids := range []map[string]*attempt{r.young, r.old} {
			if ids[id] == a {
				delete(ids, id)
			}
		}
		r.mu.Unlock()
	}
	a.err = err
	close(a.done)
}
