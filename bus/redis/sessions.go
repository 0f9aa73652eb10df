package redis

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
)

// sessionKey hides the id: whoever may look at keys does not own the sessions.
func (l *link) sessionKey(namespace string, id belfry.SessionID) string {
	sum := sha256.Sum256([]byte(namespace + "\x00" + string(id)))
	return l.bus.names.session(base64.RawURLEncoding.EncodeToString(sum[:16]))
}

// Keep implements belfry.Sessions.
func (l *link) Keep(ctx context.Context, s *belfry.Session, ttl time.Duration) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	c := l.bus.client.B().Set().Key(l.sessionKey(s.Namespace, s.ID)).
		Value(rueidis.BinaryString(encodeSession(s))).PxMilliseconds(max(ttl.Milliseconds()+1, 1)).Build()
	return failure(ctx, "keep a session", l.bus.client.Do(ctx, c).Error())
}

// Take implements belfry.Sessions.
func (l *link) Take(ctx context.Context, namespace string, id belfry.SessionID) (*belfry.Session, error) {
	if err := l.usable(ctx); err != nil {
		return nil, err
	}
	body, err := l.bus.client.Do(ctx, l.bus.client.B().Getdel().Key(l.sessionKey(namespace, id)).Build()).AsBytes()
	if rueidis.IsRedisNil(err) {
		return nil, belfry.ErrNoSession
	}
	if err != nil {
		return nil, failure(ctx, "take a session", err)
	}
	s, err := decodeSession(body)
	if err != nil {
		l.health.foreign(l, "session", err)
		return nil, belfry.ErrNoSession
	}
	s.ID, s.Namespace = id, namespace
	return s, nil
}
