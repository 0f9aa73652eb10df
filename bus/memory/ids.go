package memory

import (
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

// IDs bounds what is remembered of messages that have an ID. The oldest go as soon as one of the bounds is passed. The zero value means the
// defaults.
type IDs struct {
	// Window is how long after a message others with its ID are duplicates. Default
	// 5 minutes.
	Window time.Duration
	// Max bounds the number of IDs. Default 100,000.
	Max int
}

func (o IDs) withDefaults() IDs {
	if o.Window == 0 {
		o.Window = 5 * time.Minute
	}
	if o.Max == 0 {
		o.Max = 100_000
	}
	return o
}

type idKey struct{ namespace, id string }

// ids remembers the messages that had one.
type ids struct {
	limit IDs

	mu    sync.Mutex
	first map[idKey]belfry.Offset // of the message that was accepted
	order []idSeen                // those from head on are kept
	head  int
}

type idSeen struct {
	key idKey
	at  time.Time
}

func newIDs(limit IDs) *ids { return &ids{limit: limit, first: make(map[idKey]belfry.Offset)} }

// accept runs log, which may give m its offset, and remembers the id of m. If it was
// seen before it does not, and returns belfry.ErrDuplicate.
func (s *ids) accept(m *belfry.Message, log func()) error {
	if m.ID == "" {
		log()
		return nil
	}
	key, now := idKey{m.Namespace, m.ID}, time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trim(now)
	if first, ok := s.first[key]; ok {
		m.Offset = first
		return belfry.ErrDuplicate
	}
	log()
	s.first[key] = m.Offset
	if s.head > len(s.order)/2 && len(s.order) == cap(s.order) {
		n := copy(s.order, s.order[s.head:])
		clear(s.order[n:])
		s.order, s.head = s.order[:n], 0
	}
	s.order = append(s.order, idSeen{key, now})
	return nil
}

// trim makes room for one more.
func (s *ids) trim(now time.Time) {
	for s.head < len(s.order) {
		oldest := s.order[s.head]
		if len(s.order)-s.head < s.limit.Max && now.Sub(oldest.at) < s.limit.Window {
			return
		}
		delete(s.first, oldest.key)
		s.order[s.head] = idSeen{}
		s.head++
	}
	s.order, s.head = s.order[:0], 0
}
