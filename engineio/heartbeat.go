package engineio

import (
	"errors"
	"time"

	"github.com/seed-09a96375/belfry/engineio/packet"
	"github.com/seed-09a96375/belfry/internal/wheel"
)

// Protocol 4: the server pings every PingInterval, counted from the last pong,
// and waits PingTimeout for the pong; any other packet meanwhile extends that
// wait once. Protocol 3: the client pings; whatever comes from it counts.

var (
	errNoPong    = errors.New("no answer to a ping")
	errNoPing    = errors.New("no sign of life")
	errDirection = errors.New("invalid heartbeat direction")
)

// beat is what a session remembers about its heartbeat. Guarded by Session.mu.
type beat struct {
	awaiting bool // a ping is out
	extended bool // and its deadline was extended already
	probed   bool // Probe waits for an answer
}

// startBeat arms the first timer. s.mu is held.
func (s *Session) startBeat() {
	s.beat = beat{}
	d := s.srv.o.PingInterval
	if s.protocol == 3 {
		d += s.srv.o.PingTimeout
	}
	s.srv.wheel.Arm(&s.timer, d)
}

// onBeat runs when the heartbeat timer is due.
func (s *Session) onBeat() {
	s.mu.Lock()
	if s.state != stateOpen || s.srv.wheel.IsArmed(&s.timer) {
		s.mu.Unlock()
		return
	}
	err := s.advanceBeat()
	s.mu.Unlock()
	if err != nil {
		s.drop(ReasonPingTimeout, err, packet.Close)
	}
}

// advanceBeat returns why the session is dead, or arms the timer again. s.mu is
// held.
func (s *Session) advanceBeat() error {
	o, w := &s.srv.o, s.srv.wheel
	switch {
	case s.protocol == 3:
		return s.extendBeat(o.PingInterval+o.PingTimeout, errNoPing)
	case !s.beat.awaiting:
		s.beat = beat{awaiting: true, probed: s.beat.probed}
		w.Arm(&s.timer, o.PingTimeout)
		s.control(packet.Ping)
		return nil
	case s.beat.extended:
		return errNoPong
	default:
		s.beat.extended = true
		return s.extendBeat(o.PingTimeout, errNoPong)
	}
}

// extendBeat arms the timer for d after the last packet, or returns dead if none
// came since it was armed for d.
func (s *Session) extendBeat(d time.Duration, dead error) error {
	w := s.srv.wheel
	seen, n, now := wheel.Tick(s.seen.Load()), w.Ticks(d), w.Clock()
	if armed := s.timer.Due() - n - 1; !seen.After(armed) || !(seen + n).After(now) {
		return dead
	}
	w.ArmTicks(&s.timer, seen+n-now)
	return nil
}

// Probe asks the client for a sign of life, out of turn; Answered then tells
// whether it came. For protocol 4: older clients do not answer.
func (s *Session) Probe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beat.probed = true
	s.control(packet.Ping)
}

// Answered reports whether no Probe is without an answer.
func (s *Session) Answered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.beat.probed
}

// onPing answers a ping of a protocol 3 client.
func (s *Session) onPing() {
	if s.protocol != 3 {
		s.drop(ReasonTransportError, errDirection, packet.Close)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.control(packet.Pong)
}

// onPong begins the next interval. An unsolicited pong does no harm.
func (s *Session) onPong() {
	if s.protocol == 3 {
		s.drop(ReasonTransportError, errDirection, packet.Close)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stateOpen {
		s.startBeat()
	}
}
