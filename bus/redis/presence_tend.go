package redis

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry"
)

const (
	// tendEvery is how often each node looks after the members of all.
	tendEvery = time.Second
	// tendAtOnce bounds the members that one run of a script deals with.
	tendAtOnce = 200
	// apartFor is how many rounds this node and Redis may disagree about the
	// number of members, apartBusy the same while it changes all the time.
	apartFor  = 2
	apartBusy = 30
	// doubtful is how long the members of a node that seems to be dead stay at
	// least.
	doubtful = 5 * time.Second
)

// tend looks after members until the link is closed.
func (l *link) tend() {
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-l.ctx.Done():
			return
		}
		if known, err := l.depart(); err == nil && l.apart(known) {
			l.reconcile()
		}
	}
}

// depart runs the script that lets go of those who are dead or too long away. It
// returns how many members of this node Redis knows.
func (l *link) depart() (known int, err error) {
	for more := true; more; {
		ctx, cancel := context.WithTimeout(l.ctx, l.bus.opts.Timeout)
		s := l.roomScripts()
		r, err := l.runRoom(ctx, s.in, s.depart, l.token(), []string{l.holder(), strconv.Itoa(tendAtOnce), millis(doubtful)})
		cancel()
		if err != nil {
			return 0, err
		}
		answer, err := r.AsIntSlice()
		if err != nil || len(answer) != 2 {
			return 0, errors.Join(errPush, err)
		}
		more, known = answer[0] == 1, int(answer[1])
	}
	return known, nil
}

// apart reports whether Redis and this node disagree for so long that it is no
// call that is under way. Redis may have lost writes, or another node took this
// one for dead, or the outcome of a call is not known.
func (l *link) apart(known int) bool {
	a := &l.attendance
	here, changing := a.count()
	epoch, lease := l.incarnation.Load().counter, l.token()
	another := a.lease != 0 && (a.epoch != epoch || a.lease != lease)
	a.epoch, a.lease = epoch, lease
	if known == here && !another {
		a.apart = 0
		return false
	}
	a.apart++
	if another || !changing && a.apart >= apartFor || a.apart >= apartBusy {
		a.apart = 0
		return true
	}
	return false
}

// reconcile tells Redis of the members that it does not know, and lets those be
// away that are not here. If it does not work, the next round does it.
func (l *link) reconcile() {
	ctx, cancel := context.WithTimeout(l.ctx, l.bus.opts.Spool.Time)
	known, err := l.bus.client.Do(ctx, l.bus.client.B().Smembers().Key(l.bus.names.present(l.holder())).Build()).AsStrSlice()
	cancel()
	if err != nil {
		return
	}
	missing, extra := l.attendance.differing(known)
	for _, ref := range missing {
		if err = l.alone(ref, l.restore); err != nil {
			break
		}
	}
	for _, ref := range extra {
		if err != nil {
			break
		}
		err = l.alone(ref, l.release)
	}
	if len(missing)+len(extra) > 0 {
		l.bus.opts.Logger.Info("redis: members of rooms compared", "node", l.id,
			"told again", len(missing), "let go", len(extra), "err", err)
	}
}

// alone runs f while nobody else deals with the member.
func (l *link) alone(ref string, f func(ctx context.Context, ref string) error) error {
	ctx, cancel := context.WithTimeout(l.ctx, l.bus.opts.Spool.Time)
	defer cancel()
	if err := l.attendance.begin(ctx, ref); err != nil {
		return err
	}
	defer l.attendance.end(ref)
	return f(ctx, ref)
}

// restore tells Redis of a member, unless it is on another node by now.
func (l *link) restore(ctx context.Context, ref string) error {
	m := l.attendance.find(ref)
	if m == nil {
		return nil
	}
	again := *m
	_, err := l.arrive(ctx, "restore", &again)
	if errors.Is(err, belfry.ErrNotPresent) {
		l.attendance.forget(ref, m.stay.Hold)
		return nil
	}
	return err
}

// release lets a member be away that is not here.
func (l *link) release(ctx context.Context, ref string) error {
	at, id, ok := parseReference(ref)
	if !ok || l.attendance.find(ref) != nil {
		return nil
	}
	return l.exit(ctx, at, id, "", l.attendance.mayBeAway())
}

// parseReference reads a reference; see rooms.lua.
func parseReference(ref string) (at belfry.Place, id belfry.SocketID, ok bool) {
	digits, rest, _ := strings.Cut(ref, " ")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || n > len(rest) {
		return at, "", false
	}
	namespace, room, ok := strings.Cut(rest[:n], "#")
	at.Namespace = strings.NewReplacer("%23", "#", "%25", "%").Replace(namespace)
	at.Room = belfry.Room(room)
	return at, belfry.SocketID(rest[n:]), ok
}
