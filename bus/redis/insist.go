package redis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/seed-09a96375/belfry"
)

// attempts is what is known of those to publish a message.
type attempts struct {
	err        error  // of the last
	generation uint64 // of its lease
	doubt      bool   // it may have arrived, or still may
	sent       bool   // any may have arrived
}

func (a *attempts) failed(err error) {
	a.err = err
	a.doubt = a.doubt || inTheAir(err)
	a.sent = a.sent || a.doubt
}

// hopeless reports whether one more cannot help.
func (a *attempts) hopeless() bool {
	return verdictOf(a.err) == fatal || errors.Is(a.err, belfry.ErrDuplicate)
}

// insist publishes until it has worked, at most for Options.Spool.Time.
func (l *link) insist(ctx context.Context, p *publication, body []byte, generation uint64, err error) (back bool, _ error) {
	if !l.spool.enter(len(body)) {
		return false, givenUp(inTheAir(err), fmt.Errorf("the spool is full: %w", err))
	}
	defer l.spool.leave(len(body))
	ctx, cancel := context.WithTimeout(ctx, l.bus.opts.Spool.Time)
	defer cancel()
	a := attempts{generation: generation}
	a.failed(err)
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		if a.hopeless() {
			return false, a.err
		}
		if waitErr := l.pause(ctx, p, pause); waitErr != nil {
			return false, givenUp(a.doubt, a.err)
		}
		there, err := l.lookUp(ctx, p, &a)
		if there {
			return false, nil
		}
		if err != nil {
			a.err, a.doubt = err, true
			continue
		}
		if a.sent && !isAgain(body) && l.incarnation.Load().counter != p.since.counter {
			body = markAgain(body)
		}
		if back, a.generation, err = l.send(ctx, p, body); err == nil {
			return back, nil
		}
		a.failed(err)
	}
}

// lookUp reports whether one of the attempts has arrived. If none has, none will.
func (l *link) lookUp(ctx context.Context, p *publication, a *attempts) (there bool, err error) {
	if !a.sent {
		return false, nil
	}
	if a.doubt {
		if err := l.resolve(ctx, a.generation); err != nil {
			return false, err
		}
		a.doubt = false
	}
	return l.arrived(ctx, p)
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
