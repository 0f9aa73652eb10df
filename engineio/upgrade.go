package engineio

import (
	"bytes"
	"net/http"
	"time"

	"github.com/seed-09a96375/belfry/engineio/packet"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/websocket"
)

// upgrade is a WebSocket that is to replace polling. Guarded by Session.mu.
//
//	trying    2probe has not come, or 5 has not come
//	waiting   5 has come, but a POST is under way: its messages come first
//	draining  the POST is over; what came over the WebSocket since is delivered
//	done      the WebSocket is the transport
//	failed    the WebSocket is of no use
type upgrade struct {
	s    *Session
	conn *websocket.Conn

	phase  upgradePhase
	probed bool // 3probe is sent: GETs are released
	quick  int  // GETs that were released at once
	held   []heldFrame

	deadline, release timer
}

type upgradePhase uint8

const (
	upgradeTrying upgradePhase = iota
	upgradeWaiting
	upgradeDraining
	upgradeDone
	upgradeFailed
)

// heldFrame waits for a POST to end. Reading is paused meanwhile: what can be
// held is one read and one message.
type heldFrame struct {
	op   websocket.Opcode
	data []byte
}

// The client may send another GET before it sees 3probe, and goes on only when
// its last GET is answered: so the first ones are released at once. More come
// from clients that do not pause; they are slowed down.
const (
	quickReleases = 4
	releaseDelay  = 100 * time.Millisecond
)

// tryUpgrade takes a WebSocket for a session that exists.
func (s *Server) tryUpgrade(w http.ResponseWriter, r *request, sess *Session) {
	h, ok := s.check(w, r)
	if !ok {
		return
	}
	u := &upgrade{s: sess}
	s.takeOver(w, r, h, websocket.Start{Bind: func(c *websocket.Conn) websocket.Handler {
		u.begin(c)
		return &socket{s: sess, up: u}
	}})
}

// begin makes u the session's attempt, if it has no other and no use for none.
func (u *upgrade) begin(c *websocket.Conn) {
	s := u.s
	u.conn = c
	s.mu.Lock()
	if s.state != stateOpen || s.poll == nil || s.poll.upgrade != nil || s.srv.o.NoUpgrades {
		u.phase = upgradeFailed
		s.mu.Unlock()
		c.Close(websocket.CloseNoStatus, "")
		return
	}
	s.poll.upgrade = u
	u.deadline = timer{Owner: s, Kind: timerUpgrade}
	u.release = timer{Owner: s, Kind: timerRelease}
	s.srv.wheel.Arm(&u.deadline, s.srv.o.UpgradeTimeout)
	s.mu.Unlock()
}

// message takes a frame that came before the WebSocket was the transport. It
// reports false if it is the transport by now.
func (u *upgrade) message(op websocket.Opcode, p []byte) bool {
	s := u.s
	s.mu.Lock()
	phase := u.phase
	if phase == upgradeWaiting || phase == upgradeDraining {
		u.held = append(u.held, heldFrame{op, bytes.Clone(p)})
	}
	s.mu.Unlock()
	switch phase {
	case upgradeDone:
		return false
	case upgradeTrying:
		u.try(op, p)
	}
	return true
}

// try acts on a frame before the upgrade.
func (u *upgrade) try(op websocket.Opcode, p []byte) {
	pk, err := decodeFrame(u.s.protocol, op, p)
	switch {
	case err == nil && pk.Type == packet.Ping && string(pk.Data) == "probe":
		u.probe()
	case err == nil && pk.Type == packet.Upgrade:
		u.accept()
	default:
		u.fail()
	}
}

// probe answers a probe and releases the GET that waits.
func (u *upgrade) probe() {
	s := u.s
	_ = u.conn.Send(poll.Frame{Data: probeFrame}) // Closed tells of a connection that is gone
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.phase == upgradeTrying {
		u.probed = true
		s.releaseGET()
	}
}

// releaseGET answers the GET that waits, for an upgrade that was probed, now or
// soon. s.mu is held, an upgrade exists.
func (s *Session) releaseGET() {
	u := s.poll.upgrade
	switch {
	case !u.probed || s.poll.get == nil:
	case u.quick < quickReleases:
		u.quick++
		s.poll.get.wake()
	default:
		s.srv.wheel.Arm(&u.release, releaseDelay)
	}
}

func (s *Session) onRelease() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll != nil && s.poll.upgrade != nil {
		s.poll.wakeGET()
	}
}

// fail ends the attempt; the session goes on with polling.
func (u *upgrade) fail() {
	u.s.mu.Lock()
	mine := u.phase == upgradeTrying || u.phase == upgradeWaiting
	if mine {
		u.s.abandonUpgrade()
	}
	u.s.mu.Unlock()
	if mine {
		u.conn.Close(websocket.CloseNoStatus, "")
	}
}

// ended notes that the WebSocket is gone. It reports whether it was the
// transport.
func (u *upgrade) ended() bool {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	switch u.phase {
	case upgradeDone, upgradeDraining:
		return true
	case upgradeTrying, upgradeWaiting:
		u.s.abandonUpgrade()
	}
	return false
}

// abandonUpgrade gives an attempt up and returns its WebSocket, nil if there is
// none. s.mu is held, packets go over HTTP.
func (s *Session) abandonUpgrade() *websocket.Conn {
	u := s.poll.upgrade
	if u == nil {
		return nil
	}
	s.poll.upgrade = nil
	u.phase = upgradeFailed
	u.held = nil
	s.srv.wheel.Stop(&u.deadline)
	s.srv.wheel.Stop(&u.release)
	return u.conn
}

// onUpgradeTimeout gives an attempt up that takes too long.
func (s *Session) onUpgradeTimeout() {
	s.mu.Lock()
	var u *upgrade
	if s.poll != nil {
		u = s.poll.upgrade
	}
	s.mu.Unlock()
	if u != nil && !s.srv.wheel.IsArmed(&u.deadline) {
		u.fail()
	}
}
