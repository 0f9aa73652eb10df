package redis

import (
	"context"
	"errors"

	"github.com/redis/rueidis"
)

// incarnation is an epoch with its scripts.
type incarnation struct {
	epoch
	dialect dialect
	scripts scriptSet
}

// head is what all scripts of the incarnation begin with.
func (in *incarnation) head() string { return in.dialect.head() + in.epoch.head() }

// errEpoch: Redis is another than it was when the caller looked.
var errEpoch = errors.New("the epoch of the log has changed")

// adopt makes e the epoch of what this node publishes and reads from now on.
func (l *link) adopt(e epoch) *incarnation {
	l.epochMu.Lock()
	defer l.epochMu.Unlock()
	now := l.incarnation.Load()
	if now != nil && now.epoch == e {
		return now
	}
	if now != nil && now.counter > e.counter {
		return now // a late answer
	}
	in := &incarnation{epoch: e, dialect: l.bus.dialect}
	in.scripts = newScriptSet(in.head())
	l.incarnation.Store(in)
	return in
}

// runIn runs a script of the incarnation in. If Redis does not know it, either
// somebody emptied its script cache or it is another Redis: the latter is
// errEpoch, and the script has not run.
func (l *link) runIn(ctx context.Context, in *incarnation, s script, keys []string, args ...string) (rueidis.RedisResult, error) {
	r := l.bus.run(ctx, s, keys, args...)
	if verdictOf(r.Error()) != noScript {
		return r, r.Error()
	}
	if _, err := l.enter(ctx, l.token()); err != nil {
		return r, err
	}
	if l.incarnation.Load().epoch != in.epoch {
		return r, errEpoch
	}
	r = l.bus.load(ctx, s, keys, args...)
	return r, r.Error()
}
