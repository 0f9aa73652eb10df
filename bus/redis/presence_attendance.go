package redis

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-09a96375/belfry"
)

// attendance is the members that are on this node, as its callers want it. Redis
// should know the same; see tend.
type attendance struct {
	scripts atomic.Pointer[roomScripts]

	mu   sync.Mutex
	here map[string]*attendee     // by reference
	busy map[string]chan struct{} // closed when the call about this member has ended
	back time.Duration            // the longest that one may be away

	// Of tend alone.
	apart int    // rounds in a row in which the numbers of members differed
	epoch uint64 // in the last round
	lease uint64 // generation of the lease then
}

// attendee is a member on this node. It is not changed once it is noted.
type attendee struct {
	stay     belfry.Stay
	entrance belfry.Entrance
	joined   time.Time
}

func (a *attendance) init() {
	a.here = make(map[string]*attendee)
	a.busy = make(map[string]chan struct{})
}

// begin waits until no other call about a member is under way.
func (a *attendance) begin(ctx context.Context, ref string) error {
	for {
		a.mu.Lock()
		wait := a.busy[ref]
		if wait == nil {
			a.busy[ref] = make(chan struct{})
			a.mu.Unlock()
			return nil
		}
		a.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (a *attendance) end(ref string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(a.busy[ref])
	delete(a.busy, ref)
}

func (a *attendance) note(ref string, m *attendee) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.here[ref] = m
	a.back = max(a.back, m.entrance.Back)
}

// forget forgets a member, if it is this stay of it.
func (a *attendance) forget(ref string, hold uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if m := a.here[ref]; m != nil && m.stay.Hold == hold {
		delete(a.here, ref)
	}
}

func (a *attendance) find(ref string) *attendee {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.here[ref]
}

// differing compares with the references that Redis has.
func (a *attendance) differing(known []string) (missing, extra []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	there := make(map[string]struct{}, len(known))
	for _, ref := range known {
		there[ref] = struct{}{}
		if a.here[ref] == nil {
			extra = append(extra, ref)
		}
	}
	for ref := range a.here {
		if _, ok := there[ref]; !ok {
			missing = append(missing, ref)
		}
	}
	return missing, extra
}

// count returns the number of members, and whether it is about to change.
func (a *attendance) count() (n int, changing bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.here), len(a.busy) > 0
}

func (a *attendance) mayBeAway() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.back
}
