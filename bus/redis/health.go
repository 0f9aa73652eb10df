package redis

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-09a96375/belfry"
)

// health is what the link knows about itself.
type health struct {
	behind   atomic.Bool  // the queue of the feed is full
	probe    atomic.Int64 // when the last probe came back, Unix nanoseconds
	repairs  atomic.Uint64
	losses   atomic.Uint64
	foreigns atomic.Uint64
	warned   sync.Map // sources of foreign messages that were logged

	mu           sync.Mutex
	commandErr   error // nil: the last command worked
	subscribed   bool
	subscribeErr error
}

func (h *health) init() { h.probed() }

func (h *health) probed() { h.probe.Store(time.Now().UnixNano()) }

func (h *health) probeAge() time.Duration {
	return time.Since(time.Unix(0, h.probe.Load()))
}

// probeOverdue reports whether the subscription brings nothing, though the node
// would take it.
func (h *health) probeOverdue(after time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.subscribed && !h.behind.Load() && h.probeAge() > after
}

func (h *health) commands(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.commandErr = err
}

func (h *health) subscriptionUp() {
	h.probed()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.subscribed, h.subscribeErr = true, nil
}

// subscriptionDown reports whether that is news.
func (h *health) subscriptionDown(err error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	news := h.subscribed
	h.subscribed, h.subscribeErr = false, err
	return news
}

// Health implements belfry.HealthReporter.
func (l *link) Health() (ok bool, reasons []string) {
	h := &l.health
	h.mu.Lock()
	defer h.mu.Unlock()
	if l.closed.Load() {
		reasons = append(reasons, "the link is closed")
	}
	if h.commandErr != nil {
		reasons = append(reasons, fmt.Sprintf("redis does not take commands: %v", h.commandErr))
	}
	if !h.subscribed {
		reasons = append(reasons, fmt.Sprintf("not subscribed: %v", h.subscribeErr))
	}
	if age := h.probeAge(); age > l.bus.opts.ProbeTimeout {
		reasons = append(reasons, fmt.Sprintf("no probe came back for %v", age.Round(time.Second)))
	}
	if h.behind.Load() {
		reasons = append(reasons, "delivery is behind")
	}
	return len(reasons) == 0, reasons
}

// Counts implements belfry.LinkCounter.
func (l *link) Counts() belfry.LinkCounts {
	h := &l.health
	return belfry.LinkCounts{Repairs: h.repairs.Load(), Losses: h.losses.Load(), Foreign: h.foreigns.Load()}
}

func (h *health) lost(l *link, reason error) {
	h.losses.Add(1)
	l.bus.opts.Logger.Error("redis: messages lost", "node", l.id, "err", reason)
}

// foreign counts what is not ours, or not for us, and logs the first of each
// source.
func (h *health) foreign(l *link, source string, err error) {
	h.foreigns.Add(1)
	if len(source) > 5 && source[:5] == "room:" {
		source = "room" // there are many, and they are named by clients
	}
	if _, again := h.warned.LoadOrStore(source, true); !again {
		l.bus.opts.Logger.Warn("redis: foreign message ignored, more of them only counted", "from", source, "err", err)
	}
}
