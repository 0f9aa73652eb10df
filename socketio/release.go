package socketio

import (
	"context"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/hub"
)

// A client whose connection broke without a word comes back while its node still
// takes the old connection for alive. The session is then let go early: but only
// if nobody answers on the old connection, so that a stolen or repeated claim
// cannot end a client that is there.

const (
	// probeTime is how long a client has to answer on its old connection.
	probeTime = time.Second
	probeStep = 20 * time.Millisecond
)

// release ends the socket that has the session unless its client answers.
func (n *Namespace) release(ctx context.Context, id belfry.SessionID) hub.Letting {
	s, decided := n.live.await(ctx, id)
	switch {
	case !decided:
		return hub.Busy
	case s == nil:
		return hub.Absent
	case s.answers(ctx):
		return hub.Refused
	}
	if s.end(engineio.ReasonTransportClose) {
		n.space.Go(func() { n.server.keepSessions([]*Socket{s}) })
	}
	if !s.resumable(s.endReason()) {
		return hub.Refused
	}
	defer s.client.drop()
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	select {
	case <-s.settled(): // it may have ended by itself
		return hub.Released
	case <-ctx.Done():
		return hub.Absent // the bus did not take it from here
	}
}

// drop ends a connection as if it had broken: the client comes back.
func (c *client) drop() { c.session.CloseReason(engineio.ReasonTransportClose) }

// lost ends all sockets that could be resumed, because the bus has lost messages
// for them: they get nothing more, their clients come back, and learn that they are
// not recovered.
func (n *Namespace) lost() {
	all := n.Sockets()
	for _, s := range all {
		s.invalidate()
	}
	n.space.Go(func() {
		for _, s := range all {
			if s.sessionOf() != nil {
				s.client.drop()
			}
		}
	})
}

// invalidate ends a socket with a session, and that for good.
func (s *Socket) invalidate() {
	if ses := s.sessionOf(); ses != nil {
		s.mu.Lock()
		ses.void = true
		s.mu.Unlock()
		s.end(engineio.ReasonTransportClose)
	}
}

// answers reports whether the client answers a ping in time.
func (s *Socket) answers(ctx context.Context) bool {
	session := s.client.session
	session.Probe()
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	tick := time.NewTicker(probeStep)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if session.Answered() {
				return true
			}
		case <-s.Context().Done():
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// sessions finds the socket that has a session. The zero value is empty.
type sessions struct {
	mu     sync.Mutex
	all    map[belfry.SessionID]*Socket
	claims map[belfry.SessionID]chan struct{} // under way; closed when decided
}

// claim notes that a client here is about to resume a session, once nobody else
// here is. The caller ends it; add does, too.
func (l *sessions) claim(ctx context.Context, id belfry.SessionID) (end func(), _ error) {
	for {
		decided, another := l.tryClaim(id)
		if another == nil {
			return func() {
				l.mu.Lock()
				defer l.mu.Unlock()
				l.decide(id, decided)
			}, nil
		}
		select {
		case <-another:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (l *sessions) tryClaim(id belfry.SessionID) (decided, another chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if another := l.claims[id]; another != nil {
		return nil, another
	}
	if l.claims == nil {
		l.claims = make(map[belfry.SessionID]chan struct{})
	}
	decided = make(chan struct{})
	l.claims[id] = decided
	return decided, nil
}

// decide ends a claim; l.mu is held.
func (l *sessions) decide(id belfry.SessionID, decided chan struct{}) {
	if l.claims[id] == decided && decided != nil {
		delete(l.claims, id)
		close(decided)
	}
}

// await returns the socket that has the session, once a claim that is under way
// is decided; nil if there is none. It reports false if that took too long.
func (l *sessions) await(ctx context.Context, id belfry.SessionID) (*Socket, bool) {
	l.mu.Lock()
	s, claim := l.all[id], l.claims[id]
	l.mu.Unlock()
	if s != nil || claim == nil {
		return s, true
	}
	select {
	case <-claim:
		return l.get(id), true
	case <-ctx.Done():
		return nil, false
	}
}

func (l *sessions) add(id belfry.SessionID, s *Socket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = make(map[belfry.SessionID]*Socket)
	}
	l.all[id] = s
	l.decide(id, l.claims[id])
}

func (l *sessions) get(id belfry.SessionID) *Socket {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all[id]
}

// remove forgets s, not another that has the session by now.
func (l *sessions) remove(id belfry.SessionID, s *Socket) {
	if id == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all[id] == s {
		delete(l.all, id)
	}
}
