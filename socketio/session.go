package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

// session is what a socket has with Options.Recovery: what its client can resume
// it by, on any node, also when this one is killed. It is held in the cluster
// from before the client knows of it, and rewritten when rooms or data change.
type session struct {
	id    belfry.SessionID
	since belfry.Offset

	turn sync.Mutex // held while the cluster is told; before Socket.mu

	// Guarded by Socket.mu.
	joined   []belfry.Membership // not a map: most sockets are in few rooms
	version  uint64              // counts the changes
	held     uint64              // the version that the cluster has, 0: none
	flushing bool                // a change is on its way without anybody waiting
	void     bool                // cannot be resumed any more
	isOver   bool                // it is kept or forgotten
	over     chan struct{}       // closed then; nil until someone waits
}

func newSession(id belfry.SessionID, since belfry.Offset) *session {
	return &session{id: id, since: since, version: 1}
}

// sessionOf returns the socket's session, nil if it has none.
func (s *Socket) sessionOf() *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.x == nil {
		return nil
	}
	return s.x.session
}

// change notes that the session is no longer as the cluster has it.
func (s *Socket) change(f func(*session)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.x == nil || s.x.session == nil {
		return
	}
	f(s.x.session)
	s.x.session.version++
}

// holdSession brings the session as it is now to the cluster, unless that has been done.
// belfry.ErrNoSession: another node has taken it.
func (s *Socket) holdSession(ctx context.Context) error {
	ses := s.sessionOf()
	if ses == nil {
		return nil
	}
	s.mu.Lock()
	version := ses.version
	s.mu.Unlock()
	ses.turn.Lock()
	defer ses.turn.Unlock()
	s.mu.Lock()
	up := ses.held >= version || ses.void || s.state.Load() == disconnected
	version, again := ses.version, ses.held > 0
	stored, err := s.snapshot()
	s.mu.Unlock()
	if up || err != nil {
		return err
	}
	if err := s.nsp.space.Hold(ctx, stored, s.nsp.server.opts.Recovery.MaxDisconnection, again); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ses.held = version
	return nil
}

// snapshot is the session as it is stored; s.mu is held.
func (s *Socket) snapshot() (*belfry.Session, error) {
	ses := s.x.session
	stored := &belfry.Session{ID: ses.id, Socket: s.id, Since: ses.since, Rooms: slices.Clone(ses.joined)}
	if s.x.data == nil {
		return stored, nil
	}
	var err error
	stored.Data, err = json.Marshal(s.x.data)
	return stored, err
}

// holdSessionSoon does the same as holdSession without waiting. Several changes at once become
// one.
func (s *Socket) holdSessionSoon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.x == nil || s.x.session == nil || s.x.session.flushing || s.x.session.held == 0 {
		return
	}
	s.x.session.flushing = true
	s.nsp.server.keeping.Go(s.flush)
}

func (s *Socket) flush() {
	s.mu.Lock()
	s.x.session.flushing = false
	s.mu.Unlock()
	ctx, cancel := s.nsp.server.busContext()
	defer cancel()
	s.holdFailed(s.holdSession(ctx))
}

// holdFailed deals with an error of holdSession: a socket whose session has been taken
// has no client any more.
func (s *Socket) holdFailed(err error) {
	switch {
	case err == nil:
	case errors.Is(err, belfry.ErrNoSession):
		s.forfeit()
	default:
		s.nsp.server.opts.Logger.Warn("session not stored: rooms and data may be old if this node is killed",
			"socket", s.id, "err", err)
	}
}

// keepSessions stores the sessions of sockets that have lost their client. While
// the bus is away it tries again until nobody can come back any more.
func (s *Server) keepSessions(lost []*Socket) {
	end := time.Now().Add(s.opts.Recovery.MaxDisconnection)
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		lost = slices.DeleteFunc(lost, func(socket *Socket) bool {
			err := socket.keep()
			if away(err) && time.Now().Before(end) && s.ctx.Err() == nil {
				return false
			}
			if err != nil && !errors.Is(err, belfry.ErrNoSession) {
				s.counters.notKept.Add(1)
				s.opts.Logger.Warn("session not kept", "socket", socket.id, "err", err)
			}
			socket.settle()
			return true
		})
		if len(lost) == 0 {
			return
		}
		select {
		case <-time.After(pause):
		case <-s.ctx.Done():
		}
	}
}

// away reports whether an error says that the bus cannot be reached: then nobody
// knows whether there is a session.
func away(err error) bool {
	return errors.Is(err, belfry.ErrUnavailable) || errors.Is(err, belfry.ErrInDoubt) || errors.Is(err, belfry.ErrClosed) ||
		errors.Is(err, context.DeadlineExceeded)
}

func (s *Socket) keep() error {
	ctx, cancel := s.nsp.server.busContext()
	defer cancel()
	ses := s.sessionOf()
	ses.turn.Lock()
	defer ses.turn.Unlock()
	s.mu.Lock()
	void, held := ses.void, ses.held > 0
	stored, err := s.snapshot()
	s.mu.Unlock()
	if void || err != nil {
		return err
	}
	err = s.nsp.space.Keep(ctx, stored, s.nsp.server.opts.Recovery.MaxDisconnection, held)
	if err == nil {
		s.nsp.server.counters.kept.Add(1)
	}
	return err
}

// abandon takes the session of a socket that does not come back out of the
// cluster.
func (s *Socket) abandon() {
	s.vanish()
	ses := s.sessionOf()
	if ses == nil {
		return
	}
	ses.turn.Lock()
	s.mu.Lock()
	held := ses.held > 0
	ses.void = true
	s.mu.Unlock()
	if held {
		ctx, cancel := s.nsp.server.busContext()
		defer cancel()
		if err := s.nsp.space.Forget(ctx, ses.id); err != nil {
			s.nsp.server.opts.Logger.Debug("session not forgotten, it expires with this node", "socket", s.id, "err", err)
		}
	}
	ses.turn.Unlock()
	s.settle()
}

// settle tells those who wait that the cluster knows of the end.
func (s *Socket) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	ses := s.x.session
	s.nsp.live.remove(ses.id, s)
	if !ses.isOver {
		ses.isOver = true
		if ses.over != nil {
			close(ses.over)
		}
	}
}

// settled is closed when the session of a socket is kept or forgotten.
func (s *Socket) settled() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	ses := s.x.session
	if ses.over == nil {
		ses.over = make(chan struct{})
		if ses.isOver {
			close(ses.over)
		}
	}
	return ses.over
}

// forfeit ends the client's connection in a way that it comes back, as a new one.
func (s *Socket) forfeit() {
	s.invalidate()
	s.client.drop()
}

// resumable reports whether the client of a socket that ended so may resume it.
func (s *Socket) resumable(reason Reason) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return recoverable(reason) && s.x != nil && s.x.session != nil && !s.x.session.void
}

// busContext bounds what is done on the bus for no caller in particular.
func (s *Server) busContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), s.opts.AckTimeout)
}
