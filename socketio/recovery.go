package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/engineio"
)

// claim is what a client says that wants to resume.
type claim struct {
	Session *belfry.SessionID `json:"pid"`
	// Offset is that of the last event it received; none if it received none.
	Offset *belfry.Offset `json:"offset"`
}

// claims returns what the client claims, nil if it wants a new session.
func (c *client) claims(auth Auth) *claim {
	if c.server.opts.Recovery == nil || len(auth) == 0 {
		return nil
	}
	cl := &claim{}
	if json.Unmarshal(auth, cl) != nil || cl.Session == nil || *cl.Session == "" {
		return nil
	}
	return cl
}

// recover resumes the session that the client claims. nil: it gets a new one. An
// error: the bus is away, and nobody knows. The socket it returns is in its rooms
// and has what it missed.
func (c *client) recover(ctx context.Context, n *Namespace, cl *claim, auth Auth) (*Socket, error) {
	kept, err := n.space.Take(ctx, *cl.Session)
	if err != nil {
		return nil, c.notResumed(err, belfry.ErrNoSession)
	}
	s := newSocket(c, n, kept.Socket, auth)
	s.resume(kept)
	s.resumeUser(kept.Rooms)
	if c.server.opts.Recovery.RunMiddlewares {
		if err := s.pass(n.handlers.load().middlewares); err != nil {
			return nil, c.notResumed(s.giveBack(err), err)
		}
	}
	err = s.rejoin(ctx, kept, cl.Offset)
	if err == nil {
		err = s.holdSession(ctx)
	}
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, belfry.ErrNoSession):
		// Just taken, and gone: a Keep of its last socket here, given up long ago,
		// has arrived late. The session is there for another try.
		err = fmt.Errorf("%w: %w", belfry.ErrInDoubt, err)
	}
	return nil, c.notResumed(s.giveBack(err), belfry.ErrNoOffset)
}

// giveBack ends a socket that could not be resumed. If what is needed for it was
// away, its client can try again. It returns the error.
func (s *Socket) giveBack(err error) error {
	s.end(engineio.ReasonTransportClose)
	if away(err) {
		s.nsp.server.keeping.Go(func() { s.nsp.server.keepSessions([]*Socket{s}) })
	} else {
		s.abandon()
	}
	return err
}

// notResumed returns the error if the client has to try again. Others are logged
// unless they are ordinary.
func (c *client) notResumed(err, ordinary error) error {
	if away(err) {
		return err
	}
	level := slog.LevelDebug
	if !errors.Is(err, ordinary) && !errors.As(err, new(*belfry.HeldError)) {
		level = slog.LevelWarn
	}
	c.server.opts.Logger.Log(context.Background(), level, "session not resumed", "err", err)
	return nil
}

// resume takes over what the session kept.
func (s *Socket) resume(kept *belfry.Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.more()
	x.recovered, x.session = true, newSession(kept.ID, kept.Since)
	x.session.version, x.session.held = 2, 1 // this node holds what it has taken
	x.session.joined = slices.Clone(kept.Rooms)
	if kept.Data != nil {
		x.data = restored(kept.Data)
	}
}

// reappear makes a recovered socket known again as what it was.
func (s *Socket) reappear(ctx context.Context, rooms []belfry.Membership) error {
	if err := s.settleUser(rooms); err != nil {
		return err
	}
	return s.returnTo(ctx, rooms)
}

// rejoin makes the socket a member again, and then finds what it missed: what
// comes from now on is held back, so that nothing falls between.
func (s *Socket) rejoin(ctx context.Context, kept *belfry.Session, offset *belfry.Offset) error {
	slot, err := s.nsp.space.Add(ctx, s)
	if err != nil {
		return err
	}
	s.slot.Store(uint64(slot))
	for _, m := range kept.Rooms {
		if _, _, err := s.nsp.space.Join(ctx, slot, m.Room); err != nil {
			return err
		}
	}
	if err := s.reappear(ctx, kept.Rooms); err != nil {
		return err
	}
	// What the session began or was confirmed with counts if it is the later: the
	// client may have been quiet for longer than the log reaches back.
	after := kept.Since
	if offset != nil && !s.nsp.space.Before(*offset, kept.Since) {
		after = *offset
	}
	missed, err := s.nsp.space.Missed(ctx, kept, after)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.x.missed, s.x.has = missed, after
	s.mu.Unlock()
	return nil
}

// begin gives a new socket a session that it can be resumed by.
func (s *Socket) begin(ctx context.Context) error {
	if s.nsp.server.opts.Recovery == nil {
		return nil
	}
	since, err := s.nsp.space.Position(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.more().session = newSession(belfry.SessionID(randomID()), since)
	return nil
}

// remember notes from where on the socket is in a room.
func (s *Socket) remember(ctx context.Context, room belfry.Room) error {
	if ses := s.sessionOf(); ses == nil || s.remembers(ses, room) {
		return nil
	}
	since, err := s.nsp.space.Position(ctx)
	if err != nil {
		return err
	}
	s.change(func(ses *session) {
		if !ses.has(room) {
			// The caller's string may be a part of a whole packet.
			ses.joined = append(ses.joined, belfry.Membership{Room: belfry.Room(strings.Clone(string(room))), Since: since})
		}
	})
	return nil
}

func (s *Socket) remembers(ses *session, room belfry.Room) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return ses.has(room)
}

// has reports whether the session has the room; Socket.mu is held.
func (ses *session) has(room belfry.Room) bool {
	return slices.ContainsFunc(ses.joined, func(m belfry.Membership) bool { return m.Room == room })
}
