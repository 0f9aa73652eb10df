package memory

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/seed-09a96375/belfry"
)

// keepingLink is a link of a bus that keeps messages and sessions. It
// implements belfry.Log and belfry.Sessions; all methods fail with
// belfry.ErrClosed once the link is closed.
type keepingLink struct {
	*link
	confirmed atomic.Int64 // see Confirm; ns, 0: never
}

// Replay implements belfry.Log. Messages are those that were published, not
// copies. It stops with the first error of f, which it returns.
func (l *keepingLink) Replay(ctx context.Context, namespace string, after belfry.Offset, f func(*belfry.Message) error) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	return l.bus.log.replay(ctx, namespace, after, f)
}

// Position implements belfry.Log.
func (l *keepingLink) Position(ctx context.Context) (belfry.Offset, error) {
	if err := l.usable(ctx); err != nil {
		return "", err
	}
	return l.bus.log.position(), nil
}

// Before implements belfry.Log. It is false if one of the two is not an offset
// of this bus.
func (l *keepingLink) Before(a, b belfry.Offset) bool { return l.bus.log.before(a, b) }

// Hold implements belfry.Sessions. It stores the owner alone.
func (l *keepingLink) Hold(ctx context.Context, s *belfry.Session, _ time.Duration, held bool) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	return l.bus.sessions.hold(s, l.id, held)
}

// Keep implements belfry.Sessions. It stores a copy.
func (l *keepingLink) Keep(ctx context.Context, s *belfry.Session, ttl time.Duration, held bool) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	if held {
		s = l.raised(s)
	}
	return l.bus.sessions.keep(s, ttl, l.id, held)
}

// raised returns s with what its client has surely received taken into account.
func (l *keepingLink) raised(s *belfry.Session) *belfry.Session {
	after := l.confirmed.Load()
	if after == 0 {
		return s
	}
	floor, known := l.bus.log.positionAt(time.Now().Add(-time.Duration(after)))
	if !known || !l.bus.log.before(s.Since, floor) {
		return s
	}
	c := *s
	c.Since = floor
	return &c
}

// Drop implements belfry.Sessions.
func (l *keepingLink) Drop(ctx context.Context, namespace string, id belfry.SessionID) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	l.bus.sessions.forget(sessionKey{namespace, id}, l.id)
	return nil
}

// Take implements belfry.Sessions. From a node that holds a session it cannot be
// taken: all nodes of this bus are alive.
func (l *keepingLink) Take(ctx context.Context, namespace string, id belfry.SessionID, silent belfry.NodeID) (*belfry.Session, error) {
	if err := l.usable(ctx); err != nil {
		return nil, err
	}
	return l.bus.sessions.take(namespace, id, l.id, silent)
}

// Confirm implements belfry.Sessions.
func (l *keepingLink) Confirm(after time.Duration) { l.confirmed.Store(int64(after)) }

// Close implements belfry.Link.
func (l *keepingLink) Close(ctx context.Context) error {
	err := l.link.Close(ctx)
	l.bus.sessions.abandon(l.id)
	return err
}
