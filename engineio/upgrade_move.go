package engineio

import (
	"github.com/seed-09a96375/belfry/engineio/packet"
	"github.com/seed-09a96375/belfry/websocket"
)

// accept moves the session to the WebSocket, at once or when the POST under way
// is over.
func (u *upgrade) accept() {
	s := u.s
	s.mu.Lock()
	if u.phase != upgradeTrying {
		s.mu.Unlock()
		return
	}
	if s.poll.posting {
		u.phase = upgradeWaiting
		u.conn.PauseRead() // with mu held: the POST's end resumes
		s.mu.Unlock()
		return
	}
	u.move(upgradeDone)
	closed := u.settle()
	s.mu.Unlock()
	u.closeIf(closed)
}

// postEnded goes on with an upgrade that waited for a POST.
func (u *upgrade) postEnded() {
	s := u.s
	s.mu.Lock()
	if u.phase != upgradeWaiting {
		s.mu.Unlock()
		return
	}
	u.move(upgradeDraining)
	s.mu.Unlock()
	u.drain()
	s.mu.Lock()
	closed := u.settle()
	s.mu.Unlock()
	u.closeIf(closed)
}

// drain delivers what was held, and what comes while it does.
func (u *upgrade) drain() {
	for {
		u.s.mu.Lock()
		held := u.held
		u.held = nil
		if len(held) == 0 {
			u.phase = upgradeDone
			u.s.mu.Unlock()
			return
		}
		u.s.mu.Unlock()
		for _, f := range held {
			u.s.frame(f.op, f.data)
		}
	}
}

// move makes the WebSocket the transport. What waited for a GET goes over it
// first; a GET that waits in spite of the upgrade is told to go. s.mu is held.
func (u *upgrade) move(next upgradePhase) {
	s := u.s
	p, w := s.poll, s.srv.wheel
	w.Stop(&u.deadline)
	w.Stop(&u.release)
	w.Stop(&p.timer)
	if p.get != nil {
		p.get.last = packet.Close
		p.get.wake()
	}
	for _, i := range p.queue.take() {
		s.sendItem(u.conn, i)
	}
	u.phase = next
	s.poll = nil
	s.ws.Store(u.conn)
	if s.state == stateOpen && s.protocol != 3 {
		s.startBeat() // a ping that is out does not count any more
	}
}

// settle gives the new transport the state that the session is in. It reports
// whether the session is closed. s.mu is held.
func (u *upgrade) settle() (closed bool) {
	s := u.s
	if s.state != stateOpen {
		s.state = stateClosed
		return true
	}
	if s.paused {
		u.conn.PauseRead()
	} else {
		u.conn.ResumeRead()
	}
	return false
}

func (u *upgrade) closeIf(closed bool) {
	if closed {
		u.conn.Close(websocket.CloseNoStatus, "")
	}
}
