package engineio

import (
	"runtime/debug"

	"github.com/seed-09a96375/belfry/engineio/packet"
	"github.com/seed-09a96375/belfry/websocket"
)

// How a session ends:
//
//	shut  gracefully: the layer above is told at once; the transport still
//	      delivers what was sent before, then ends (release)
//	drop  at once: what was not delivered is lost
//
// Whichever comes first gives the reason. release takes the session out of the
// index, when its transport is gone.

// spawner says on which goroutine the layer above is told.
type spawner bool

const (
	directly spawner = false
	// aside is for callers that may hold locks of the layer above.
	aside spawner = true
)

// Close ends the session gracefully: what was sent before is still delivered if
// the client takes it in time. Receiver.Closed gets ReasonForcedClose, from
// another goroutine.
func (s *Session) Close() { s.CloseReason(ReasonForcedClose) }

// CloseReason is Close with another reason for Receiver.Closed.
func (s *Session) CloseReason(r Reason) { s.shut(r, nil, aside) }

func (s *Session) shut(r Reason, detail error, how spawner) {
	s.mu.Lock()
	if s.state != stateOpen {
		s.mu.Unlock()
		return
	}
	c, next := s.ws.Load(), stateClosed
	if c == nil {
		next = stateClosing
		s.linger()
	}
	last := s.leaveOpen(next, r, detail)
	s.mu.Unlock()
	if c != nil {
		c.Close(websocket.CloseNoStatus, "")
	}
	if last {
		s.tell(how)
	}
}

// drop ends the session. A GET that waits is answered with a packet of type t.
func (s *Session) drop(r Reason, detail error, t packet.Type) { s.dropAs(r, detail, t, directly) }

func (s *Session) dropAs(r Reason, detail error, t packet.Type, how spawner) {
	s.mu.Lock()
	last := false
	switch s.state {
	case stateClosed:
		s.mu.Unlock()
		return
	case stateClosing:
		s.state = stateClosed
	case stateOpen:
		last = s.leaveOpen(stateClosed, r, detail)
	}
	c := s.ws.Load()
	polling := c == nil
	if polling {
		c = s.dropPolling(t)
	}
	s.mu.Unlock()
	if polling {
		s.leavePolling(c)
	} else {
		c.Close(websocket.CloseNoStatus, "")
	}
	if last {
		s.tell(how)
	}
}

// cut is drop for a server that has no time left: it does not wait for the
// peer.
func (s *Session) cut() {
	s.drop(ReasonServerShutdown, nil, packet.Close)
	if c := s.ws.Load(); c != nil {
		c.Terminate(errCut)
	}
}

// leaveOpen notes the session's end: from now on no message is delivered. It
// reports whether the caller has to tell; otherwise a call of the layer above is
// under way, and who made it tells. s.mu is held.
func (s *Session) leaveOpen(next state, r Reason, detail error) (last bool) {
	s.state, s.end = next, &ending{r, detail}
	s.srv.wheel.Stop(&s.timer)
	s.srv.open.Add(-1)
	last = s.gate.shut()
	s.wakePOST()
	return last
}

// tell has the layer above told.
func (s *Session) tell(how spawner) {
	if how == aside {
		go s.lastCall()
		return
	}
	s.lastCall()
}

// lastCall runs exactly once. It may run on a goroutine of this package, which
// a panic must not end.
func (s *Session) lastCall() {
	defer s.srv.index.left.Done()
	defer func() {
		if v := recover(); v != nil {
			s.srv.o.Logger.Error("receiver panicked in Closed", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	s.mu.Lock()
	e := s.end
	s.mu.Unlock()
	if s.recv != nil {
		s.recv.Closed(e.reason, e.detail)
	}
}

// release forgets a session whose transport is gone.
func (s *Session) release() { s.srv.index.remove(s) }

func (s *Session) isOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == stateOpen
}

func (s *Session) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == stateClosed
}
