package redis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
)

// Publish implements belfry.Link. While Redis is away a message with a number
// waits, bounded by Options.Spool; a Volatile one is delivered on this node
// alone; others fail with belfry.ErrUnavailable.
func (l *link) Publish(ctx context.Context, m *belfry.Message) error {
	if err := l.usable(ctx); err != nil {
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
	generation := l.token()
	back, err := l.send(ctx, p, body, generation)
	if err != nil {
		if back, err = l.afterFailure(ctx, p, body, generation, err); err != nil {
			return err
		}
	}
	if !back {
		return nil
	}
	switch l.pending.accept(p) {
	case stray:
		l.deliverHere(ctx, p)
	case left:
		return nil
	case lost:
		return givenUp(true, errLost)
	case inDoubt:
		l.decide(ctx, p)
	}
	return l.await(ctx, p)
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

// send runs the script once, and reports whether this node will get the message.
func (l *link) send(ctx context.Context, p *publication, body []byte, generation uint64) (back bool, err error) {
	n, o, in := l.bus.names, l.bus.opts, l.incarnation.Load()
	numbered := "0"
	if p.sequenced {
		numbered = "1"
	}
	r, err := l.runIn(ctx, in, in.scripts.publish, []string{n.lease(l.id), n.seq(), n.log(), n.owners()},
		l.tokenText(generation), n.base, p.channel, numbered, strconv.Itoa(o.Log.MaxMessages), millis(o.Log.MaxAge),
		rueidis.BinaryString(body), flag(mayBeSocket(p.message)))
	if err != nil {
		return false, err
	}
	answer, err := r.ToArray()
	if err != nil || len(answer) != 2 {
		return false, errors.Join(errPush, err)
	}
	owner, err := answer[1].ToString()
	if err != nil {
		return false, err
	}
	seq, err := answer[0].AsUint64()
	if err != nil {
		return false, err
	}
	if l.comesBack(p, belfry.NodeID(owner)) {
		l.pending.numbered(p, in.epoch, seq, belfry.NodeID(owner) == l.id)
		return true, nil
	}
	if q := l.pending.claim(p.count); q != nil {
		l.stamp(p.message, in.epoch, seq)
	}
	return false, nil
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
	case verdictOf(err) == fatal || ctx.Err() != nil || l.ctx.Err() != nil:
		return false, err
	case p.sequenced:
		return l.insist(ctx, p, body, generation, err)
	case verdictOf(err) == fenced:
		if _, err := l.renew(ctx, generation); err != nil {
			return false, err
		}
		return l.send(ctx, p, body, l.token())
	case errors.Is(err, errEpoch):
		return l.send(ctx, p, body, generation)
	case p.message.Volatile && (p.message.To == "" || p.message.To == l.id):
		l.deliverHere(ctx, p)
		return true, nil
	}
	return false, givenUp(inTheAir(err), err)
}

// inTheAir reports whether what failed so may have arrived, or may still.
func inTheAir(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" || errors.Is(err, errEpoch) {
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

// insist publishes until it has worked, at most for Options.Spool.Time.
func (l *link) insist(ctx context.Context, p *publication, body []byte, generation uint64, err error) (back bool, _ error) {
	if !l.spool.enter(len(body)) {
		return false, givenUp(inTheAir(err), fmt.Errorf("the spool is full: %w", err))
	}
	defer l.spool.leave(len(body))
	ctx, cancel := context.WithTimeout(ctx, l.bus.opts.Spool.Time)
	defer cancel()
	doubt := false // whether an attempt has arrived
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		v := verdictOf(err)
		if errors.Is(err, errEpoch) {
			v = refused
		}
		if v == fatal {
			return false, err
		}
		doubt = doubt || inTheAir(err)
		if waitErr := l.pause(ctx, p, pause); waitErr != nil {
			return false, givenUp(doubt, err)
		}
		if doubt {
			if resolveErr := l.resolve(ctx, generation); resolveErr != nil {
				err = resolveErr
				continue
			}
			doubt = false
		}
		if there, lookErr := l.arrived(ctx, p); there || lookErr != nil {
			if there {
				return false, nil
			}
			doubt, err = true, lookErr
			continue
		}
		if !isAgain(body) && l.incarnation.Load().counter != p.since.counter {
			body = markAgain(body)
		}
		generation = l.token()
		back, sendErr := l.send(ctx, p, body, generation)
		if sendErr == nil {
			return back, nil
		}
		err = sendErr
	}
}

// resolve returns when all that was sent under this generation has been
// delivered, or never will be.
func (l *link) resolve(ctx context.Context, generation uint64) error {
	at, err := l.renew(ctx, generation)
	if err != nil {
		return err
	}
	return l.progress.reach(ctx, at)
}

// arrived reports whether p is accepted, after resolve. Who does not get it back
// has to look into the log.
func (l *link) arrived(ctx context.Context, p *publication) (bool, error) {
	if p.isDelivered() || l.pending.expected(p) && l.comesBack(p, "") {
		return p.isDelivered(), nil
	}
	found := false
	err := l.readLog(ctx, p.since.number, func(e entry) error {
		origin, count, ok := peekOrigin(e.body)
		found = found || ok && count == p.count && string(origin) == string(l.id)
		return nil
	})
	return found, err
}

// pause waits for d, give or take a half, or until p has been delivered.
func (l *link) pause(ctx context.Context, p *publication, d time.Duration) error {
	t := time.NewTimer(jitter(d))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-p.delivered:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-l.ctx.Done():
		return belfry.ErrClosed
	}
}

func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d) //nolint:gosec // spreads load, guards nothing
}
