package fleet

import (
	"context"
	"sync"
	"time"
)

// State is what all nodes know of the trucks. Safe for concurrent use. No method
// blocks longer than ctx; after an error it is safe to repeat the call.
type State interface {
	// Put takes readings in, each truck's last one; newer[i] says that nothing newer
	// was known of the truck of readings[i]. A truck is in there once at most.
	Put(ctx context.Context, readings []Reading) (newer []bool, err error)
	// Latest returns the last reading of each of the trucks that is known, in no order.
	Latest(ctx context.Context, trucks []string) ([]Reading, error)
	// All returns those of all trucks, in no order, and forgets those that are older.
	All(ctx context.Context, older time.Time) ([]Reading, error)
	// Claim reports whether the alert is to be told: it is if the last alert of that
	// type and truck that was claimed is this one, or at least apart before it by the
	// times of the readings. So who dies after a claim claims the same again.
	Claim(ctx context.Context, a Alert, apart time.Duration) (bool, error)
}

// Memory is a State for the nodes of one process. The zero value is ready for use.
type Memory struct {
	mu     sync.Mutex
	latest map[string]Reading
	claims map[[2]string]claim // by truck and type
}

type claim struct {
	id string
	at time.Time
}

// Put implements State.
func (m *Memory) Put(_ context.Context, readings []Reading) ([]bool, error) {
	newer := make([]bool, len(readings))
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.latest == nil {
		m.latest = make(map[string]Reading)
	}
	for i, r := range readings {
		if last, known := m.latest[r.Truck]; !known || r.Time.After(last.Time) {
			m.latest[r.Truck], newer[i] = r, true
		}
	}
	return newer, nil
}

// Latest implements State.
func (m *Memory) Latest(_ context.Context, trucks []string) ([]Reading, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := make([]Reading, 0, len(trucks))
	for _, t := range trucks {
		if r, known := m.latest[t]; known {
			found = append(found, r)
		}
	}
	return found, nil
}

// All implements State.
func (m *Memory) All(_ context.Context, older time.Time) ([]Reading, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]Reading, 0, len(m.latest))
	for t, r := range m.latest {
		if r.Time.Before(older) {
			delete(m.latest, t)
			continue
		}
		all = append(all, r)
	}
	for key, c := range m.claims {
		if c.at.Before(older) && time.Since(c.at) > claimLife {
			delete(m.claims, key)
		}
	}
	return all, nil
}

// claimLife is how long a claim is remembered at least: readings that come later than
// that are compared with none.
const claimLife = time.Hour

// Claim implements State.
func (m *Memory) Claim(_ context.Context, a Alert, apart time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := [2]string{a.Truck, a.Type}
	last, known := m.claims[key]
	switch {
	case known && last.id == a.ID:
		return true, nil
	case known && a.Time.Before(last.at.Add(apart)):
		return false, nil
	case m.claims == nil:
		m.claims = make(map[[2]string]claim)
	}
	m.claims[key] = claim{a.ID, a.Time}
	return true, nil
}
