package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
)

// verdict says what an error of a command means for what it was to do.
type verdict uint8

const (
	done     verdict = iota // no error
	fatal                   // it will not work later either
	refused                 // not done; later it may work
	unknown                 // done or not
	noScript                // not done: this Redis does not know the script
	fenced                  // not done: the lease is another
)

func verdictOf(err error) verdict {
	if err == nil || rueidis.IsRedisNil(err) {
		return done
	}
	var r *rueidis.RedisError
	if !errors.As(err, &r) {
		return unknown
	}
	word, _, _ := strings.Cut(r.Error(), " ")
	switch word {
	case "NOSCRIPT":
		return noScript
	case "FENCED":
		return fenced
	case "READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK", "BUSY", "OOM", "NOREPLICAS", "MISCONF", "TAKEN":
		return refused
	}
	return fatal
}

// errUnsent: the message was not sent, since an earlier one got no answer.
var errUnsent = errors.New("not sent to redis")

// errLost is for a message that Redis had accepted and lost in a failover, before
// this node had it. Other nodes may have delivered it.
var errLost = errors.New("redis has lost the message")

// failure makes the error of a method: that of ctx if it has ended, else
// ErrUnavailable, unless trying again cannot help.
func failure(ctx context.Context, doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("redis: %s: %w", doing, ctx.Err())
	case verdictOf(err) == fatal, errors.Is(err, belfry.ErrClosed), errors.Is(err, belfry.ErrUnavailable), errors.Is(err, belfry.ErrInDoubt), errors.Is(err, belfry.ErrDuplicate):
		return fmt.Errorf("redis: %s: %w", doing, err)
	}
	return fmt.Errorf("redis: %s: %w: %w", doing, belfry.ErrUnavailable, err)
}
