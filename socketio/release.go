package socketio

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/engineio"
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

// release ends the socket that has the session unless its client answers. It
// reports whether the session is kept on the bus now.
func (n *Namespace) release(ctx context.Context, id belfry.SessionID) bool {
	s := n.live.get(id)
	if s == nil || s.answers(ctx) {
		return false
	}
	if s.end(engineio.ReasonTransportClose) {
		keepSessions([]*Socket{s})
	}
	if !s.resumable(s.endReason()) {
		return false
	}
	select {
	case <-s.sessionOf().settled: // it may have ended by itself
	case <-ctx.Done():
		return false
	}
	s.client.drop()
	return true
}

// drop ends a connection as if it had broken: the client comes back.
func (c *client) drop() { c.session.CloseReason(engineio.ReasonTransportClose) }

// lost ends all sockets that could be resumed, because the bus has lost messages
// for them: their clients come back, and learn that they are not recovered.
func (n *Namespace) lost() {
	for _, s := range n.live.list() {
		s.forfeit()
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
	mu  sync.Mutex
	all map[belfry.SessionID]*Socket
}

func (l *sessions) add(id belfry.SessionID, s *Socket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = make(map[belfry.SessionID]*Socket)
	}
	l.all[id] = s
}

func (l *sessions) get(id belfry.SessionID) *Socket {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all[id]
}

func (l *sessions) list() []*Socket {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Values(l.all))
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
