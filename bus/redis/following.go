package redis

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
)

// following is a link that implements belfry.Follower.
type following struct{ *link }

// Follow implements belfry.Follower. While there is no connection it waits.
func (l *following) Follow(ctx context.Context, namespace string, room belfry.Room) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	channel := roomChannel(namespace, room)
	if l.subscription.settled(channel) {
		return nil
	}
	l.feed.do(ctx, func(f *feed) {
		if _, ok := f.chain[channel]; !ok {
			f.chain[channel] = 0
		}
	})
	l.subscription.add(channel)
	if err := l.onConnection(ctx, func(c rueidis.DedicatedClient) error {
		return c.Do(ctx, l.bus.dialect.subscribe(c, l.bus.names.channel(channel))).Error()
	}); err != nil {
		return failure(ctx, "follow", err)
	}
	if err := l.settle(ctx, channel); err != nil {
		return failure(ctx, "follow", err)
	}
	l.subscription.settle(channel)
	return nil
}

// settle learns where the log stands now that the room is subscribed to: what
// came before is no concern of this node.
func (l *following) settle(ctx context.Context, channel string) error {
	at, err := l.top(ctx, l.incarnation.Load())
	for errors.Is(err, errEpoch) && ctx.Err() == nil {
		at, err = l.top(ctx, l.incarnation.Load())
	}
	if err != nil {
		return err
	}
	l.feed.begins.set(channel, at)
	l.feed.do(ctx, (*feed).settle)
	return ctx.Err()
}

// Unfollow implements belfry.Follower.
func (l *following) Unfollow(ctx context.Context, namespace string, room belfry.Room) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	channel := roomChannel(namespace, room)
	l.subscription.remove(channel)
	if c, _ := l.subscription.current(); c != nil {
		// If it fails, so has the connection, and the next has it not.
		_ = c.Do(ctx, l.bus.dialect.unsubscribe(c, l.bus.names.channel(channel))).Error()
	}
	l.feed.begins.forget(channel)
	l.feed.do(ctx, func(f *feed) {
		if !l.subscription.follows(channel) { // else the feed was behind, and goes on with it
			delete(f.chain, channel)
		}
		for _, p := range l.pending.leave(channel) {
			l.stamp(p.message, p.epoch, p.seq)
			close(p.delivered)
		}
	})
	return ctx.Err()
}

// onConnection runs f on the connection for subscriptions, again on the next if
// one breaks.
func (l *following) onConnection(ctx context.Context, f func(rueidis.DedicatedClient) error) error {
	for {
		c, changed := l.subscription.current()
		if c != nil {
			err := f(c)
			if err == nil || verdictOf(err) == fatal {
				return err
			}
			l.subscription.giveUp("subscribe: " + err.Error())
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-l.ctx.Done():
			return belfry.ErrClosed
		}
	}
}

// Own implements belfry.Follower.
func (l *following) Own(ctx context.Context, namespace string, socket belfry.SocketID) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	c := l.bus.client.B().Hset().Key(l.bus.names.owners()).FieldValue().
		FieldValue(ownerField(namespace, socket), string(l.id)).Build()
	return failure(ctx, "own", l.bus.client.Do(ctx, c).Error())
}

// Disown implements belfry.Follower.
func (l *following) Disown(ctx context.Context, namespace string, socket belfry.SocketID) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	err := l.bus.runShared(ctx, l.bus.shared.disown, []string{l.bus.names.owners()},
		ownerField(namespace, socket), string(l.id)).Error()
	return failure(ctx, "disown", err)
}

// ownerField is what publish.lua makes of the room's channel.
func ownerField(namespace string, socket belfry.SocketID) string {
	return strings.TrimPrefix(roomChannel(namespace, belfry.Room(socket)), "room:")
}

// maxChecked is how many channels are compared in one round.
const maxChecked = 500

// checkChannels asks for the last numbers of some followed channels. The answer
// comes through the feed, after all that it counts.
func (l *link) checkChannels(ctx context.Context) {
	channels := l.subscription.some(maxChecked - 2)
	channels = append(channels, everyone, nodeChannel(l.id))
	l.checkMu.Lock()
	l.checkSerial++
	serial := l.checkSerial
	l.checkList = channels
	l.checkMu.Unlock()
	args := append([]string{l.bus.names.base, string(l.id), strconv.FormatUint(serial, 10)}, channels...)
	in := l.incarnation.Load()
	_, _ = l.runIn(ctx, in, in.scripts.check, []string{l.bus.names.seq()}, args...)
}

// checked returns the channels of a round, nil if there was a later one.
func (l *link) checked(serial uint64) []string {
	l.checkMu.Lock()
	defer l.checkMu.Unlock()
	if serial != l.checkSerial {
		return nil
	}
	return l.checkList
}
