package redis

import (
	"context"

	"github.com/seed-09a96375/belfry"
)

// Announce implements belfry.Directory. Every beat says it again, for a Redis
// that has forgotten.
func (l *link) Announce(ctx context.Context, url string) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	l.address.Store(&url)
	c := l.bus.client.B().Hset().Key(l.bus.names.addresses()).FieldValue().FieldValue(string(l.id), url).Build()
	return failure(ctx, "announce", l.bus.client.Do(ctx, c).Error())
}

// Addresses implements belfry.Directory.
func (l *link) Addresses(ctx context.Context) (map[belfry.NodeID]string, error) {
	if err := l.usable(ctx); err != nil {
		return nil, err
	}
	pairs, err := l.bus.runShared(ctx, l.bus.shared.addresses, []string{l.bus.names.addresses()}, l.bus.names.base).AsStrSlice()
	if err != nil {
		return nil, failure(ctx, "list addresses", err)
	}
	all := make(map[belfry.NodeID]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		all[belfry.NodeID(pairs[i])] = pairs[i+1]
	}
	return all, nil
}

// addressText returns what was announced, empty if nothing was.
func (l *link) addressText() string {
	if url := l.address.Load(); url != nil {
		return *url
	}
	return ""
}
