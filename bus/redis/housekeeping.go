package redis

import (
	"context"
	"time"
)

// sweepEvery is how many beats lie between two looks at the directory of owners,
// and checkEvery between two at the last numbers of followed channels.
const (
	sweepEvery = 10
	checkEvery = 5
)

// housekeep does what some node has to do now and then. Errors do not matter: it
// comes again.
func (l *link) housekeep(beat uint64) {
	ctx, cancel := context.WithTimeout(l.ctx, l.bus.opts.Timeout)
	defer cancel()
	b := l.bus
	if age := b.opts.Log.MaxAge; beat%uint64(max(1, age/(20*time.Second))) == 0 {
		_ = b.runShared(ctx, b.shared.trim, []string{b.names.log(), b.names.trimLock()},
			millis(age), millis(max(age/20, 500*time.Millisecond))).Error()
	}
	if beat%sweepEvery == 0 {
		if cursor, err := b.runShared(ctx, b.shared.sweep, []string{b.names.owners()}, l.sweep, b.names.base).ToString(); err == nil {
			l.sweep = cursor
		}
	}
	if b.opts.Interest && beat%checkEvery == 0 {
		l.checkChannels(ctx)
	}
	l.tail.expire(time.Now(), b.opts.Log.MaxMessages)
}
