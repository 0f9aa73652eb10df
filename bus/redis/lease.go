package redis

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed-09a96375/belfry"
)

// lease is what a node holds while it lives. Its token is in every publish, and
// Redis refuses those with another. Who does not know whether a publish has
// arrived takes a new lease: then it will not arrive any more, and whether it
// has can be looked up.
type lease struct {
	run        string // of this link alone
	generation atomic.Uint64
	renewal    chan struct{} // held while a new lease is taken
	renewed    place         // where the log stood then; guarded by renewal
}

// place is a position of the log, for waiting.
type place struct{ counter, number uint64 }

func (l *link) token() uint64 { return l.lease.generation.Load() }

func (l *link) tokenText(generation uint64) string {
	return l.lease.run + "." + strconv.FormatUint(generation, 10)
}

// enter takes the lease with this generation, or renews it, and learns the
// epoch. The node's own channel then brings a mark.
func (l *link) enter(ctx context.Context, generation uint64) (place, error) {
	if l.closed.Load() {
		return place{}, belfry.ErrClosed // or the node would be back
	}
	n := l.bus.names
	r := l.bus.runShared(ctx, l.bus.shared.enter,
		[]string{n.epoch(), n.seq(), n.lease(l.id), n.nodes(), n.awaited()},
		l.lease.run, strconv.FormatUint(generation, 10), millis(l.bus.opts.Lease), string(l.id), n.base,
		strconv.FormatUint(l.serial.Add(1), 10))
	answer, err := r.AsStrSlice()
	if err != nil {
		return place{}, err
	}
	if len(answer) != 3 {
		return place{}, errPush
	}
	counter, err := strconv.ParseUint(answer[1], 10, 64)
	if err != nil {
		return place{}, err
	}
	digits, _, _ := strings.Cut(answer[2], " ")
	seq, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return place{}, err
	}
	l.adopt(epoch{answer[0], counter})
	return place{counter, seq}, nil
}

// renew takes a new lease in place of the one of that generation, unless that
// has been done. What was sent under the old one and has not arrived by then
// never will; what has arrived is not after the place that it returns.
func (l *link) renew(ctx context.Context, generation uint64) (place, error) {
	select {
	case l.lease.renewal <- struct{}{}:
	case <-ctx.Done():
		return place{}, ctx.Err()
	}
	defer func() { <-l.lease.renewal }()
	if l.token() > generation {
		return l.lease.renewed, nil
	}
	// Publishes with the new token are refused until the lease is there, and try
	// again; with the old one they would be in doubt, too.
	p, err := l.enter(ctx, generation+1)
	if err != nil {
		return place{}, err
	}
	l.lease.renewed = p
	l.lease.generation.Store(generation + 1)
	return p, nil
}

// beatEvery is the pace of leases and probes.
const beatEvery = time.Second

// beat renews the lease and probes the bus until the link is closed.
func (l *link) beat() {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for n := uint64(1); ; n++ {
		select {
		case <-tick.C:
		case <-l.ctx.Done():
			return
		}
		l.holding.tick(l.delivered())
		l.beatOnce(n)
		l.housekeep(n)
	}
}

func (l *link) beatOnce(n uint64) {
	ctx, cancel := context.WithTimeout(l.ctx, l.bus.opts.Timeout)
	defer cancel()
	names, generation := l.bus.names, l.token()
	in := l.incarnation.Load()
	lease := l.bus.opts.Lease
	_, err := l.runIn(ctx, in, in.scripts.beat, []string{
		names.lease(l.id), names.nodes(), names.seq(), names.sessions(l.holder()), names.holders(), names.addresses(),
	}, l.tokenText(generation), millis(lease), string(l.id), names.base, strconv.FormatUint(n, 10),
		l.holder(), millis(l.holding.lasting(lease)), l.holding.confirmed(), l.addressText())
	switch {
	case verdictOf(err) == fenced:
		// The lease has run out, or Redis was emptied.
		_, err = l.renew(ctx, generation)
	case errors.Is(err, errEpoch):
		l.subscription.giveUp("the epoch has changed")
	}
	l.health.commands(err)
	if l.health.probeOverdue(l.bus.opts.ProbeTimeout) {
		l.subscription.giveUp("no probe came back")
	}
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// Peers implements belfry.Link.
func (l *link) Peers(ctx context.Context) ([]belfry.NodeID, error) {
	if err := l.usable(ctx); err != nil {
		return nil, err
	}
	ids, err := l.bus.runShared(ctx, l.bus.shared.peers, []string{l.bus.names.nodes()}).AsStrSlice()
	if err != nil {
		return nil, failure(ctx, "list nodes", err)
	}
	peers, self := make([]belfry.NodeID, 0, len(ids)+1), false
	for _, id := range ids {
		peers = append(peers, belfry.NodeID(id))
		self = self || belfry.NodeID(id) == l.id
	}
	if !self { // the lease has just run out, but here we are
		peers = append(peers, l.id)
	}
	return peers, nil
}
