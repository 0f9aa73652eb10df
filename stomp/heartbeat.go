package stomp

import (
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed-09a96375/belfry/internal/wheel"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/websocket"
)

// pulse is what a connection knows of its heart-beats. Times are ticks of the
// server's wheel.
type pulse struct {
	seen, sent atomic.Uint32 // when something came, and went out, last
	// out is how often something has to go out, in how long something may be
	// missing; 0: never. Set by CONNECT.
	out, in wheel.Tick
	frames  []byte      // what goes out
	paused  atomic.Bool // the client is not read: it cannot be seen
}

const (
	minHeartbeat = 10 * time.Millisecond
	// tolerance is how many intervals a client may be late; the specification
	// leaves the margin to the receiver.
	tolerance = 2
	// timedOut is the code of what did not come in time.
	timedOut = "timeout"
)

var (
	beatFrame = websocket.AppendFrame(nil, websocket.Text, []byte("\n"))
	// A client that sends no heart-beats, or takes none, answers pings.
	pingFrame = websocket.AppendFrame(nil, websocket.Ping, nil)
	bothFrame = append(append([]byte(nil), beatFrame...), pingFrame...)
)

func (p *pulse) saw(w *wheel.Wheel[*Conn])     { p.seen.Store(uint32(w.Recent())) }
func (p *pulse) wroteAt(w *wheel.Wheel[*Conn]) { p.sent.Store(uint32(w.Recent())) }

// parseHeartbeat reads the header heart-beat: milliseconds that the client can do
// and that it wants.
func parseHeartbeat(header string) (can, want time.Duration, err error) {
	if header == "" {
		return 0, 0, nil
	}
	first, second, ok := strings.Cut(header, ",")
	a, errA := strconv.ParseUint(strings.TrimSpace(first), 10, 31)
	b, errB := strconv.ParseUint(strings.TrimSpace(second), 10, 31)
	if !ok || errA != nil || errB != nil {
		return 0, 0, invalid("heart-beat must be two numbers of milliseconds, not %q", header)
	}
	return time.Duration(a) * time.Millisecond, time.Duration(b) * time.Millisecond, nil
}

// agree sets what goes out and what has to come in. A side that says 0 does, or
// wants, none; else the longer interval counts.
func (p *pulse) agree(w *wheel.Wheel[*Conn], every, can, want time.Duration) {
	if want > 0 {
		// The other side counts from its last byte, and the way takes time.
		p.out, p.frames = w.Ticks(max(every, want)*3/4), beatFrame
	}
	if can > 0 {
		p.in = w.Ticks(max(every, can) * tolerance)
		return
	}
	p.in = w.Ticks(every * tolerance)
	if p.out == 0 {
		p.out, p.frames = w.Ticks(every), pingFrame
		return
	}
	p.out, p.frames = min(p.out, w.Ticks(every)), bothFrame
}

// startPulse begins heart-beats; c.mu is held.
func (c *Conn) startPulse() {
	w := c.server.wheel
	now := uint32(w.Clock())
	c.pulse.seen.Store(now)
	c.pulse.sent.Store(now)
	w.ArmTicks(&c.timer, c.nextBeat(wheel.Tick(now)))
}

// onTimer runs when the connection's timer is due.
func (c *Conn) onTimer() {
	c.mu.Lock()
	if c.state == fresh {
		c.mu.Unlock()
		c.fail(&refusal{code: websocket.ClosePolicy, name: timedOut, message: "no CONNECT in time"}, "")
		return
	}
	if c.state != connected {
		c.mu.Unlock()
		return
	}
	now := c.server.wheel.Clock()
	if c.pulse.paused.Load() {
		c.pulse.seen.Store(uint32(now))
	}
	alive := (wheel.Tick(c.pulse.seen.Load()) + c.pulse.in).After(now)
	if alive {
		c.beat(now)
		c.server.wheel.ArmTicks(&c.timer, c.nextBeat(now))
	}
	c.mu.Unlock()
	if !alive {
		c.fail(&refusal{code: websocket.ClosePolicy, name: timedOut, message: "no heart-beat in time"}, "")
	}
}

// nextBeat is in how many ticks there is something to do.
func (c *Conn) nextBeat(now wheel.Tick) wheel.Tick {
	next := wheel.Tick(c.pulse.seen.Load()) + c.pulse.in
	if due := wheel.Tick(c.pulse.sent.Load()) + c.pulse.out; c.pulse.out > 0 && next.After(due) {
		next = due
	}
	if !next.After(now) {
		return 1
	}
	return next - now
}

// beat sends a heart-beat if nothing has gone out for a while.
func (c *Conn) beat(now wheel.Tick) {
	if c.pulse.out == 0 || (wheel.Tick(c.pulse.sent.Load()) + c.pulse.out).After(now) {
		return
	}
	c.pulse.sent.Store(uint32(now))
	_ = c.ws.Send(poll.Frame{Data: c.pulse.frames, Overflow: poll.DropOldest}) // Closed tells of a connection that is gone
}
