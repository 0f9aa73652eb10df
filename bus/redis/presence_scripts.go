package redis

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
)

// roomScripts are those about members and state of rooms, of one epoch.
type roomScripts struct {
	in                        *incarnation
	arrive, exit, set, depart script
}

func newRoomScripts(in *incarnation) *roomScripts {
	of := func(name string) script { return newScript(in.head(), "accept", "rooms", name) }
	return &roomScripts{in: in, arrive: of("arrive"), exit: of("exit"), set: of("set"), depart: of("depart")}
}

// roomScripts returns the scripts of the epoch that the link is in.
func (l *link) roomScripts() *roomScripts {
	in := l.incarnation.Load()
	if s := l.attendance.scripts.Load(); s != nil && s.in == in {
		return s
	}
	s := newRoomScripts(in)
	l.attendance.scripts.Store(s)
	return s
}

// room runs a script about a room until it has worked, at most for
// Options.Spool.Time. doubt says that an earlier attempt may have worked as well.
// The scripts are made so that this does no harm.
func (l *link) room(ctx context.Context, pick func(*roomScripts) script, args ...string) (r rueidis.RedisResult, doubt bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, l.bus.opts.Spool.Time)
	defer cancel()
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		s, generation := l.roomScripts(), l.token()
		r, err = l.runRoom(ctx, s.in, pick(s), generation, args)
		v := verdictOf(err)
		if errors.Is(err, errEpoch) {
			v = refused
		}
		doubt = doubt || v == unknown
		switch v {
		case done, fatal:
			return r, doubt, err
		case unknown, fenced:
			// Under a new lease what has not arrived will not any more.
			if _, renewErr := l.renew(ctx, generation); renewErr == nil {
				continue
			}
		}
		if waitErr := l.rest(ctx, pause); waitErr != nil {
			return r, doubt, errors.Join(waitErr, err)
		}
	}
}

func (l *link) runRoom(ctx context.Context, in *incarnation, s script, generation uint64, args []string) (rueidis.RedisResult, error) {
	n, log := l.bus.names, l.bus.opts.Log
	all := append([]string{l.tokenText(generation), n.base, strconv.Itoa(log.MaxMessages), millis(log.MaxAge)}, args...)
	return l.runIn(ctx, in, s, []string{n.lease(l.id), n.seq(), n.log(), n.owners()}, all...)
}

// read repeats a command that changes nothing until it has worked, at most for
// Options.Spool.Time.
func (l *link) read(ctx context.Context, command func(context.Context) error) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, l.bus.opts.Spool.Time)
	defer cancel()
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		err := command(ctx)
		if v := verdictOf(err); v == done || v == fatal {
			return err
		}
		if waitErr := l.rest(ctx, pause); waitErr != nil {
			return errors.Join(waitErr, err)
		}
	}
}

// rest waits for d, give or take a half.
func (l *link) rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(jitter(d))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return belfry.ErrUnavailable
	case <-l.ctx.Done():
		return belfry.ErrClosed
	}
}

// heard waits until this node has what a script has told a room, if it gets that.
// The script has worked: if the message does not come in time, so be it.
func (l *link) heard(ctx context.Context, at belfry.Place, number string) {
	seq, err := strconv.ParseUint(number, 10, 64)
	if err != nil || seq == 0 || l.bus.opts.Interest && !l.subscription.follows(roomChannel(at.Namespace, at.Room)) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, l.bus.opts.Timeout)
	defer cancel()
	_ = l.progress.reach(ctx, place{l.incarnation.Load().counter, seq})
}

// words reads the answer of a script: n strings if the first is "ok".
func words(r rueidis.RedisResult, n int) ([]string, error) {
	all, err := r.AsStrSlice()
	if err != nil || len(all) == 0 || all[0] == "ok" && len(all) != n {
		return nil, errors.Join(errPush, err)
	}
	return all, nil
}
