package socketio

import (
	"time"

	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/hub"
)

// A client that is behind gets a part at a time, the next one when it has taken the
// last: its queue never holds more. If it takes nothing for catchUpTime it is too
// slow.
const (
	catchUpPart = 256 << 10 // bytes
	catchUpTime = 15 * time.Second
	catchUpLook = 2 * time.Millisecond
)

// catchUp answers CONNECT, then writes what a recovered client missed, and what came
// meanwhile, and makes the socket connected when nothing is left: without letting
// anybody in between, if it is little. It reports false if the socket was disconnected
// before. It may block for as long as its client takes.
func (s *Socket) catchUp() (sent []*hub.Delivery, ok bool) {
	for greeted := false; ; {
		s.mu.Lock()
		if !greeted {
			_ = s.client.send(s.hello(), engineio.SendOptions{})
			greeted = true
		}
		if s.state.Load() != connecting {
			s.mu.Unlock()
			return sent, false
		}
		sent = append(sent, s.nextPart()...)
		if s.x == nil || len(s.x.missed) == 0 && len(s.x.held) == 0 {
			s.goLive()
			s.mu.Unlock()
			return sent, true
		}
		s.mu.Unlock()
		if !s.taken() {
			s.client.drop()
			<-s.Context().Done() // the end of the connection is that of its sockets: they are kept
		}
	}
}

// goLive makes the socket connected; s.mu is held.
func (s *Socket) goLive() {
	s.state.Store(connected)
	if s.x == nil {
		return
	}
	if has := s.x.has; has != "" {
		s.replayed.Store(&has)
		s.x.has = ""
	}
	s.x.missed, s.x.held = nil, nil
	if s.x.session != nil {
		s.nsp.live.add(s.x.session.id, s)
	}
}

// nextPart writes a part of what is still to come; s.mu is held.
func (s *Socket) nextPart() (sent []*hub.Delivery) {
	if s.x == nil {
		return nil
	}
	size := 0
	for x := s.x; size < catchUpPart && len(x.missed) > 0; x.missed = x.missed[1:] {
		d := &hub.Delivery{Message: x.missed[0]}
		x.has = d.Offset
		s.transmit(d)
		sent, size = append(sent, d), size+sizeOf(d)
	}
	for x := s.x; size < catchUpPart && len(x.missed) == 0 && len(x.held) > 0; x.held = x.held[1:] {
		// What came while the socket was connecting may have been missed as well, and
		// on a node that is behind the client may have had it.
		if d := x.held[0]; x.has == "" || d.Offset == "" || s.nsp.space.Before(x.has, d.Offset) {
			s.transmit(d)
			sent, size = append(sent, d), size+sizeOf(d)
		}
	}
	return sent
}

func sizeOf(d *hub.Delivery) int {
	n := len(d.Data)
	for _, a := range d.Attachments {
		n += len(a)
	}
	return n
}

// taken waits until the client has taken what was written. It reports false if that
// takes too long or the client is gone.
func (s *Socket) taken() bool {
	late := time.NewTimer(catchUpTime)
	defer late.Stop()
	look := time.NewTicker(catchUpLook)
	defer look.Stop()
	for !s.client.session.Writable() {
		select {
		case <-look.C:
			if s.client.isGone() {
				return false
			}
		case <-late.C:
			return false
		}
	}
	return !s.client.isGone()
}
