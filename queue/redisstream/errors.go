package redisstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
)

// verdict says what an error of a command means for what it was to do.
type verdict uint8

const (
	done    verdict = iota // no error
	fatal                  // it will not work later either
	refused                // not done; later it may work
	unknown                // done or not
	noGroup                // not done: the group or the stream is gone
)

func verdictOf(err error) verdict {
	if err == nil || rueidis.IsRedisNil(err) {
		return done
	}
	var r *rueidis.RedisError
	if !errors.As(err, &r) {
		return verdictOfConnection(err)
	}
	text := r.Error()
	// What a script has called is told after the word that ERR replaces.
	word, _, _ := strings.Cut(strings.TrimPrefix(text, "ERR "), " ")
	switch word {
	case "NOGROUP", "UNBLOCKED": // the stream was deleted while it was read
		return noGroup
	case "READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK", "BUSY", "OOM", "NOREPLICAS", "MISCONF", "NOSCRIPT":
		return refused
	}
	if strings.Contains(text, "NOGROUP") {
		return noGroup
	}
	return fatal
}

// verdictOfConnection tells what was never sent from what may have been.
func verdictOfConnection(err error) verdict {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return refused
	}
	return unknown
}

// failure makes the error of a method: that of ctx if it has ended, else
// ErrUnavailable, unless trying again cannot help.
func failure(ctx context.Context, doing string, err error) error {
	v := verdictOf(err)
	switch {
	case v == done:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("queue: %s: %w", doing, ctx.Err())
	case v == fatal:
		return fmt.Errorf("queue: %s: %w", doing, err)
	}
	return fmt.Errorf("queue: %s: %w: %w", doing, belfry.ErrUnavailable, err)
}
