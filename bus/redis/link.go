package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/seed-09a96375/belfry"
)

// link implements belfry.Link, Log, Sessions, Directory, Presence, RoomState,
// HealthReporter and LinkCounter.
type link struct {
	bus  *Bus
	node belfry.Node
	id   belfry.NodeID

	ctx    context.Context // ends at Close
	cancel context.CancelFunc
	closed atomic.Bool
	tasks  sync.WaitGroup
	ended  chan struct{} // closed when all tasks have ended

	epochMu      sync.Mutex
	incarnation  atomic.Pointer[incarnation]
	serial       atomic.Uint64 // of marks
	lease        lease
	pending      pending
	commits      commits
	spool        spool
	subscription subscription
	feed         feed
	progress     progress
	tail         tail
	holding      holding
	attendance   attendance
	address      atomic.Pointer[string]
	health       health
	sweep        string // cursor

	checkMu     sync.Mutex
	checkSerial uint64
	checkList   []string // channels of the round that is under way
}

func newLink(b *Bus, n belfry.Node) *link {
	l := &link{bus: b, node: n, id: n.ID(), ended: make(chan struct{}), sweep: "0"}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.lease.run, l.lease.renewal = rand.Text()[:16], make(chan struct{}, 1)
	l.lease.generation.Store(1)
	l.pending.init()
	l.commits.init(l)
	l.spool.max = b.opts.Spool.Bytes
	l.subscription.init(l)
	l.feed.init(l)
	l.progress.changed = make(chan struct{})
	l.tail.init(l)
	l.attendance.init()
	l.health.init()
	return l
}

// start takes the lease, runs the tasks and waits until the feed is in step.
func (l *link) start(ctx context.Context) error {
	at, err := l.enter(ctx, l.token())
	if err != nil {
		l.cancel()
		return failure(ctx, "take the lease", err)
	}
	l.tasks.Go(l.subscription.run)
	l.tasks.Go(l.feed.run)
	l.tasks.Go(l.commits.run)
	l.tasks.Go(l.beat)
	l.tasks.Go(l.tend)
	go func() { l.tasks.Wait(); close(l.ended) }()
	if err := l.step(ctx, at); err != nil {
		return errors.Join(failure(ctx, "subscribe", err), l.Close(context.WithoutCancel(ctx)))
	}
	return nil
}

// step waits until the feed has come to a place. It does not wait for a
// subscription that Redis refuses.
func (l *link) step(ctx context.Context, at place) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	l.tasks.Go(func() {
		select {
		case err := <-l.subscription.refused:
			cancel(err)
		case <-ctx.Done():
		}
	})
	if err := l.progress.reach(ctx, at); err != nil {
		return context.Cause(ctx)
	}
	return nil
}

// Reply implements belfry.Link. It sets r.From.
func (l *link) Reply(ctx context.Context, to belfry.NodeID, r *belfry.Reply) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	r.From = l.id
	channel := l.bus.names.channel(nodeChannel(to))
	c := l.bus.dialect.publish(l.bus.client, channel, string(pushOf(encodeReply(r))))
	return failure(ctx, "reply", l.bus.client.Do(ctx, c).Error())
}

// Close implements belfry.Link. Publishes under way end with belfry.ErrClosed.
// If Redis cannot be told, the other nodes notice when the lease runs out.
func (l *link) Close(ctx context.Context) error {
	if !l.closed.Swap(true) {
		l.leave(ctx)
		l.cancel()
	}
	select {
	case <-l.ended:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-l.ended:
		return nil
	default:
		return fmt.Errorf("redis: close: %w", ctx.Err())
	}
}

func (l *link) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, l.bus.opts.Timeout)
	defer cancel()
	n := l.bus.names
	err := l.bus.runShared(ctx, l.bus.shared.leave, []string{n.lease(l.id), n.nodes(), n.addresses()},
		l.tokenText(l.token()), string(l.id)).Error()
	if err != nil {
		l.bus.opts.Logger.Warn("redis: lease not given back, it runs out by itself", "node", l.id, "err", err)
	}
}

func (l *link) usable(ctx context.Context) error {
	if l.closed.Load() {
		return belfry.ErrClosed
	}
	return ctx.Err()
}
