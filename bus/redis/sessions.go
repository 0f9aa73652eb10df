package redis

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
)

// sessionHash names a session where others may look: whoever sees keys does not
// own the sessions.
func sessionHash(namespace string, id belfry.SessionID) string {
	sum := sha256.Sum256([]byte(namespace + "\x00" + string(id)))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// holder names this run of the node: another with the same id holds nothing of it.
func (l *link) holder() string { return string(l.id) + "." + l.lease.run }

// Hold implements belfry.Sessions.
func (l *link) Hold(ctx context.Context, s *belfry.Session, ttl time.Duration, held bool) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	n, hash := l.bus.names, sessionHash(s.Namespace, s.ID)
	stored := encodeStored(s, l.holding.begin(ttl))
	r := l.bus.runShared(ctx, l.bus.shared.hold,
		[]string{n.sessions(l.holder()), n.holders(), n.session(hash)},
		hash, stored, millis(l.holding.lasting(l.bus.opts.Lease)), l.holder(), flag(held))
	return stillHeld(ctx, "hold a session", r)
}

// Keep implements belfry.Sessions.
func (l *link) Keep(ctx context.Context, s *belfry.Session, ttl time.Duration, held bool) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	n, hash := l.bus.names, sessionHash(s.Namespace, s.ID)
	r := l.bus.runShared(ctx, l.bus.shared.keep,
		[]string{n.sessions(l.holder()), n.session(hash)},
		hash, string(encodeSession(s)), millis(max(ttl, 0)+time.Millisecond), flag(held), l.holding.confirmed())
	return stillHeld(ctx, "keep a session", r)
}

func flag(set bool) string {
	if set {
		return "1"
	}
	return "0"
}

// stillHeld reads an answer of hold.lua and keep.lua.
func stillHeld(ctx context.Context, doing string, r rueidis.RedisResult) error {
	there, err := r.AsBool()
	if err == nil && !there {
		return belfry.ErrNoSession
	}
	return failure(ctx, doing, err)
}

// Drop implements belfry.Sessions.
func (l *link) Drop(ctx context.Context, namespace string, id belfry.SessionID) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	key := l.bus.names.sessions(l.holder())
	c := l.bus.client.B().Hdel().Key(key).Field(sessionHash(namespace, id)).Build()
	return failure(ctx, "drop a session", l.bus.client.Do(ctx, c).Error())
}

// Take implements belfry.Sessions. If the answer of Redis is lost, so is the
// session, which this node then holds for nobody: the other way round two clients
// could have it.
func (l *link) Take(ctx context.Context, namespace string, id belfry.SessionID, silent belfry.NodeID) (*belfry.Session, error) {
	if err := l.usable(ctx); err != nil {
		return nil, err
	}
	n, hash := l.bus.names, sessionHash(namespace, id)
	answer, err := l.bus.runShared(ctx, l.bus.shared.take, []string{n.session(hash), n.holders()},
		hash, n.base, string(silent), l.holder(), millis(l.holding.begin(0)), millis(l.holding.lasting(l.bus.opts.Lease))).ToArray()
	switch {
	case err != nil:
		return nil, failure(ctx, "take a session", err)
	case len(answer) != 2:
		return nil, belfry.ErrNoSession
	}
	s, err := l.taken(answer[0], answer[1])
	if err != nil {
		return nil, err
	}
	s.ID, s.Namespace = id, namespace
	return s, nil
}

// taken reads an answer of take.lua.
func (l *link) taken(session, second rueidis.RedisMessage) (*belfry.Session, error) {
	text, err := second.ToString() // the owner, or what is confirmed
	if err != nil {
		return nil, errors.Join(errPush, err)
	}
	if session.IsNil() {
		return nil, &belfry.HeldError{Owner: belfry.NodeID(text)}
	}
	stored, err := session.ToString()
	if err != nil {
		return nil, errors.Join(errPush, err)
	}
	s, err := decodeStored(stored, text)
	if err != nil {
		l.health.foreign(l, "session", err)
		return nil, belfry.ErrNoSession
	}
	return s, nil
}
