package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/seed-09a96375/belfry"
)

// Publish implements belfry.Link. While Redis is away a message with a number
// waits, bounded by Options.Spool; a Volatile one without an ID is delivered on this
// node alone; others fail with belfry.ErrUnavailable.
func (l *link) Publish(ctx context.Context, m *belfry.Message) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	if err := checkID(m); err != nil {
		return err
	}
	p := newPublication(m, l.progress.now())
	p.sure = l.echoes(p)
	l.pending.add(p)
	defer l.pending.forget(p)
	err := l.publish(ctx, p, encodeMessage(m, l.id, p.count))
	switch {
	case err == nil, p.isDelivered():
		return nil
	case l.closed.Load():
		return belfry.ErrClosed
	}
	return failure(ctx, "publish", err)
}

func (l *link) publish(ctx context.Context, p *publication, body []byte) error {
	back, generation, err := l.send(ctx, p, body)
	if err != nil {
		if back, err = l.afterFailure(ctx, p, body, generation, err); err != nil {
			return err
		}
	}
	if !back {
		return nil
	}
	if comes, err := l.accepted(ctx, p); err != nil || !comes {
		return err
	}
	return l.await(ctx, p)
}

// accepted is called when Redis has p, which this node gets. It reports whether p will
// be delivered here.
func (l *link) accepted(ctx context.Context, p *publication) (comes bool, err error) {
	switch l.pending.accept(p) {
	case stray:
		l.deliverHere(ctx, p)
	case left:
		return false, nil
	case lost:
		return false, givenUp(true, errLost)
	case inDoubt:
		l.decide(ctx, p)
	}
	return true, nil
}

// echoes reports whether what is published to p's channel from now on comes back
// to this node, unless the node leaves the channel.
func (l *link) echoes(p *publication) bool {
	return !l.bus.opts.Interest || p.channel == everyone || p.message.To != "" || l.subscription.settled(p.channel)
}

// decide is for a message to a room that this node was about to follow: it may
// have been published before that took effect, and then does not come back.
func (l *link) decide(ctx context.Context, p *publication) {
	if !p.sequenced {
		l.deliverHere(ctx, p)
		return
	}
	l.feed.do(ctx, func(f *feed) { f.passOver(p.channel) })
}

func (l *link) await(ctx context.Context, p *publication) error {
	select {
	case <-p.delivered:
		return nil
	case <-p.gone:
		return givenUp(true, errLost)
	case <-ctx.Done():
		return ctx.Err()
	case <-l.ctx.Done():
		return belfry.ErrClosed
	}
}

// send publishes once, under the lease of a generation, and reports whether this
// node will get the message.
func (l *link) send(ctx context.Context, p *publication, body []byte) (back bool, generation uint64, err error) {
	c := newCommit(p, body)
	if generation, err = l.commits.do(ctx, c); err == nil {
		back, err = l.outcome(p, c)
	}
	return back, generation, err
}

// outcome takes over what Redis said of a message.
func (l *link) outcome(p *publication, c *commit) (back bool, err error) {
	if c.before != nil && !c.before.of(p, l.lease.run) {
		return false, l.duplicate(p, c.before)
	}
	if l.comesBack(p, c.owner) {
		l.pending.numbered(p, c.in.epoch, c.seq, c.owner == l.id)
		return true, nil
	}
	if q := l.pending.claim(p.count); q != nil {
		l.stamp(p.message, c.in.epoch, c.seq)
	}
	return false, nil
}

// duplicate tells the publisher of the message that was accepted before.
func (l *link) duplicate(p *publication, first *accepted) error {
	if q := l.pending.claim(p.count); q != nil {
		p.message.Origin, p.message.Offset = l.id, first.offset
	}
	return belfry.ErrDuplicate
}

// mayBeSocket reports whether the room of m has the form of a socket's id: 20
// characters, with its namespace and # before them for old clients. Others need
// not be looked up.
func mayBeSocket(m *belfry.Message) bool {
	return len(m.Target.Rooms) == 1 &&
		(len(m.Target.Rooms[0]) == 20 || strings.Contains(string(m.Target.Rooms[0]), "#"))
}

// stamp fills in what a bus fills in.
func (l *link) stamp(m *belfry.Message, e epoch, seq uint64) {
	m.Origin, m.Offset = l.id, ""
	if replayed(m) {
		m.Offset = e.offset(seq)
	}
}

// comesBack reports whether this node gets its own message.
func (l *link) comesBack(p *publication, owner belfry.NodeID) bool {
	if to := p.message.To; to != "" {
		return to == l.id
	}
	return !l.bus.opts.Interest || p.channel == everyone || owner == l.id || l.subscription.follows(p.channel)
}

func (l *link) afterFailure(ctx context.Context, p *publication, body []byte, generation uint64, err error) (back bool, _ error) {
	switch {
	case errors.Is(err, belfry.ErrDuplicate), verdictOf(err) == fatal, ctx.Err() != nil, l.ctx.Err() != nil:
		return false, err
	case p.sequenced:
		return l.insist(ctx, p, body, generation, err)
	case verdictOf(err) == fenced:
		if _, err := l.renew(ctx, generation); err != nil {
			return false, err
		}
		back, _, err = l.send(ctx, p, body)
		return back, err
	case errors.Is(err, errEpoch):
		back, _, err = l.send(ctx, p, body)
		return back, err
	case p.message.Volatile && p.message.ID == "" && (p.message.To == "" || p.message.To == l.id):
		l.deliverHere(ctx, p)
		return true, nil
	}
	return false, givenUp(inTheAir(err), err)
}

// inTheAir reports whether what failed so may have arrived, or may still.
func inTheAir(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" || errors.Is(err, errEpoch) || errors.Is(err, errUnsent) {
		return false
	}
	v := verdictOf(err)
	return v == unknown || v == fenced
}

// givenUp is the error of a publish that is not tried again.
func givenUp(doubt bool, err error) error {
	if doubt {
		return fmt.Errorf("%w: %w", belfry.ErrInDoubt, err)
	}
	return fmt.Errorf("%w: %w", belfry.ErrUnavailable, err)
}

// deliverHere delivers on this node what the bus did not, or may not, bring back.
func (l *link) deliverHere(ctx context.Context, p *publication) {
	l.feed.do(ctx, func(f *feed) {
		if q := l.pending.claimGhost(p.count); q != nil {
			f.deliverOwn(q, f.in.epoch, 0)
		}
	})
}
