package consume

import (
	"slices"
	"sync"
)

// slots bounds the handlers that run. Who asked first gets one first: without keys
// and with one handler, events are handled in the order of the queue.
type slots struct {
	mu    sync.Mutex
	free  int
	queue []*ticket
}

// ticket stands for a slot, or a place in the queue for one.
type ticket struct{ granted chan struct{} }

func newSlots(n int) *slots { return &slots{free: n} }

// ask does not block: the channel of the ticket is closed when it stands for a slot.
func (s *slots) ask() *ticket {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &ticket{make(chan struct{})}
	if s.free > 0 {
		s.free--
		close(t.granted)
	} else {
		s.queue = append(s.queue, t)
	}
	return t
}

// back gives a slot back, or the place in the queue.
func (s *slots) back(t *ticket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.queue, t); i >= 0 {
		s.queue = slices.Delete(s.queue, i, i+1)
		return
	}
	if len(s.queue) == 0 {
		s.free++
		return
	}
	close(s.queue[0].granted)
	s.queue = slices.Delete(s.queue, 0, 1)
}
