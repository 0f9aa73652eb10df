package redis

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

// holding is what a link knows of the sessions that it holds, and of what their
// clients surely have. Its times are those that this node was awake: while a
// process is frozen no client answers its pings.
type holding struct {
	mu      sync.Mutex
	longest time.Duration // the longest time that a session outlives the node
	after   time.Duration // see belfry.Sessions.Confirm; 0: not called
	awake   time.Duration // at the last beat
	beat    time.Time
	steps   []step // what was delivered at which beat, the oldest first
}

// step is what the node had delivered at a time.
type step struct {
	at     time.Duration
	offset belfry.Offset
}

// tick notes, at a beat, what has been delivered. Empty: not known.
func (h *holding) tick(delivered belfry.Offset) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.awake = h.latest()
	h.beat = time.Now()
	if h.after == 0 || delivered == "" {
		return
	}
	for len(h.steps) > 1 && h.steps[1].at <= h.awake-h.after {
		h.steps = h.steps[1:]
	}
	h.steps = append(h.steps, step{h.awake, delivered})
}

// latest is the time now, or a little later. What is longer between two beats
// does not count.
func (h *holding) latest() time.Duration {
	if h.beat.IsZero() {
		return 0
	}
	return h.awake + min(time.Since(h.beat), 2*beatEvery)
}

// begin notes how long a session outlives the node, and returns the time.
func (h *holding) begin(ttl time.Duration) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.longest = max(h.longest, ttl)
	return h.latest()
}

// lasting returns how long the sessions last without a beat.
func (h *holding) lasting(lease time.Duration) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return lease + h.longest
}

// confirmed returns what every client has that has been here since its time;
// empty if that is not known.
func (h *holding) confirmed() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := len(h.steps) - 1; i >= 0; i-- {
		if s := h.steps[i]; s.at <= h.awake-h.after {
			return millis(s.at) + " " + string(s.offset)
		}
	}
	return ""
}

// Confirm implements belfry.Sessions.
func (l *link) Confirm(after time.Duration) {
	l.holding.mu.Lock()
	defer l.holding.mu.Unlock()
	l.holding.after, l.holding.steps = max(after, 1), nil
}

// delivered returns what the node has, for tick.
func (l *link) delivered() belfry.Offset {
	at, in := l.progress.now(), l.incarnation.Load()
	if at.counter != in.counter {
		return ""
	}
	return in.offset(at.number)
}

// A stored session is a line and a body. The line has the time at which its owner
// began to hold it, and behind a space, if it is held no longer, what was
// confirmed then.

func encodeStored(s *belfry.Session, since time.Duration) string {
	return millis(since) + "\n" + string(encodeSession(s))
}

// decodeStored reads a stored session. confirmed is what the owner of a session
// that it still held has confirmed since.
func decodeStored(stored, confirmed string) (*belfry.Session, error) {
	line, body, ok := strings.Cut(stored, "\n")
	if !ok {
		return nil, errBody
	}
	s, err := decodeSession([]byte(body))
	if err != nil {
		return nil, err
	}
	since, then, _ := strings.Cut(line, " ")
	begun, err := strconv.ParseUint(since, 10, 63)
	if err != nil {
		return nil, errBody
	}
	if then != "" {
		confirmed = then
	}
	raise(s, begun, confirmed)
	return s, nil
}

// raise moves the session to what was confirmed, if its client had been there for
// a while by then: what it missed before may have been on its way to it.
func raise(s *belfry.Session, begun uint64, confirmed string) {
	at, offset, _ := strings.Cut(confirmed, " ")
	upTo, ok := parseOffset(belfry.Offset(offset))
	if ms, err := strconv.ParseUint(at, 10, 64); err != nil || !ok || ms < begun+uint64(beatEvery.Milliseconds()) {
		return
	}
	lift := func(o *belfry.Offset) {
		if p, ok := parseOffset(*o); ok && p.epoch == upTo.epoch && p.number < upTo.number {
			*o = belfry.Offset(offset)
		}
	}
	lift(&s.Since)
	for i := range s.Rooms {
		lift(&s.Rooms[i].Since)
	}
}
