package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
)

// attendance is what the cluster knows of a socket in rooms that keep presence.
// Its calls to the bus are made one after the other, each by what is true then, so
// that the last one is right whatever came in between.
type attendance struct {
	turn chan struct{} // held while the bus is told; guards in and over
	hold uint64        // see belfry.Stay
	in   map[belfry.Room]struct{}
	over bool
	gone chan struct{} // closed when the bus knows of the end; nil before the end

	// Guarded by Socket.mu.
	user string
	meta map[belfry.Room]json.RawMessage
}

// attending returns the socket's attendance, made on first use.
func (s *Socket) attending() *attendance {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.more()
	if x.attendance == nil {
		x.attendance = &attendance{
			turn: make(chan struct{}, 1),
			hold: rand.Uint64() >> 11, //nolint:gosec // tells connections apart, guards nothing
			in:   make(map[belfry.Room]struct{}),
			meta: make(map[belfry.Room]json.RawMessage),
		}
	}
	return x.attendance
}

// attended is attending without making one.
func (s *Socket) attended() *attendance {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.x == nil {
		return nil
	}
	return s.x.attendance
}

func (a *attendance) take(ctx context.Context) error {
	select {
	case a.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *attendance) give() { <-a.turn }

// attend tells the cluster that the socket has joined a room. If that fails the
// socket is not in the room.
func (s *Socket) attend(ctx context.Context, room belfry.Room) error {
	if !s.nsp.keepsPresence(room) {
		return nil
	}
	err := s.update(ctx, room, belfry.Arrive)
	if err != nil {
		s.nsp.space.Leave(hub.Slot(s.slot.Load()), room)
	}
	return err
}

// unattend tells the cluster, without waiting, that the socket has left a room.
func (s *Socket) unattend(room belfry.Room) {
	a := s.attended()
	if a == nil || !s.nsp.keepsPresence(room) {
		return
	}
	s.forgetMeta(a, room)
	done := s.nsp.departures.begin(room)
	if !s.nsp.space.Go(func() {
		defer done()
		ctx, cancel := s.nsp.server.busContext()
		defer cancel()
		s.exitFailed(s.update(ctx, room, belfry.Arrive))
	}) {
		done()
	}
}

// update makes the cluster know whether the socket is in a room.
func (s *Socket) update(ctx context.Context, room belfry.Room, kind belfry.EntranceKind) error {
	a := s.attending()
	if err := a.take(ctx); err != nil {
		return err
	}
	defer a.give()
	_, known := a.in[room]
	switch here := s.nsp.space.Has(hub.Slot(s.slot.Load()), room); {
	case a.over || s.state.Load() == disconnected:
		return ErrDisconnected
	case here && !known && kind == belfry.Amend:
		return s.enterRoom(ctx, a, room, belfry.Arrive) // its Join is under way
	case here:
		// Also if it is known: what is said of it may have changed while it was not
		// in the room, and a leave and a join so close together are none.
		return s.enterRoom(ctx, a, room, kind)
	case known:
		delete(a.in, room)
		return s.nsp.space.Exit(ctx, s.stay(a, room), 0)
	}
	return nil
}

func (s *Socket) enterRoom(ctx context.Context, a *attendance, room belfry.Room, kind belfry.EntranceKind) error {
	s.mu.Lock()
	e := belfry.Entrance{Kind: kind, User: a.user, Meta: a.meta[room], Back: s.nsp.server.opts.mayBeAway()}
	s.mu.Unlock()
	p, err := s.nsp.space.Enter(ctx, s.stay(a, room), e)
	if err != nil {
		return err
	}
	a.in[room] = struct{}{}
	if kind != belfry.Return {
		return nil
	}
	s.mu.Lock()
	a.meta[room] = p.Meta
	s.mu.Unlock()
	if p.User != e.User { // a middleware has named another
		return s.enterRoom(ctx, a, room, belfry.Amend)
	}
	return nil
}

func (s *Socket) stay(a *attendance, room belfry.Room) belfry.Stay {
	return belfry.Stay{Place: belfry.Place{Room: room}, Socket: s.id, Hold: a.hold}
}

func (s *Socket) forgetMeta(a *attendance, room belfry.Room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(a.meta, room)
}

// returnTo makes a recovered socket present again in the rooms that it had. The
// other members do not notice.
func (s *Socket) returnTo(ctx context.Context, rooms []belfry.Membership) error {
	for _, m := range rooms {
		if !s.nsp.keepsPresence(m.Room) {
			continue
		}
		if err := s.update(ctx, m.Room, belfry.Return); err != nil {
			return err
		}
	}
	return nil
}

// depart tells the cluster, without waiting, that the socket has ended: it is
// away if its client may come back, else it has left.
func (s *Socket) depart(reason Reason) {
	a := s.attended()
	if a == nil {
		return
	}
	var away time.Duration
	if s.resumable(reason) {
		away = s.nsp.server.opts.mayBeAway()
	}
	gone := make(chan struct{})
	s.mu.Lock()
	a.gone = gone
	s.mu.Unlock()
	if !s.nsp.space.Go(func() {
		defer close(gone)
		s.leaveAll(a, away)
	}) {
		close(gone)
	}
}

// leaveAll ends all stays: with away > 0 those of rooms that the socket did not
// leave before it ended can still be ended by a second call.
func (s *Socket) leaveAll(a *attendance, away time.Duration) {
	ctx, cancel := s.nsp.server.busContext()
	defer cancel()
	if a.take(ctx) != nil {
		return
	}
	defer a.give()
	a.over = true
	s.mu.Lock()
	left := s.x.left
	s.mu.Unlock()
	for room := range a.in {
		back := away
		if !slices.Contains(left, room) {
			back = 0
		}
		s.exitFailed(s.nsp.space.Exit(ctx, s.stay(a, room), back))
	}
}

// vanish ends the stays of a socket that has ended as if it would come back, and
// does not.
func (s *Socket) vanish() {
	if a := s.attended(); a != nil {
		s.departed()
		s.leaveAll(a, 0)
	}
}

// departed waits until the cluster knows of the end.
func (s *Socket) departed() {
	a := s.attended()
	if a == nil {
		return
	}
	s.mu.Lock()
	gone := a.gone
	s.mu.Unlock()
	if gone == nil {
		return
	}
	ctx, cancel := s.nsp.server.busContext()
	defer cancel()
	select {
	case <-gone:
	case <-ctx.Done():
	}
}

// exitFailed logs that others may see the socket for a while longer.
func (s *Socket) exitFailed(err error) {
	if err != nil && !errors.Is(err, belfry.ErrClosed) && !errors.Is(err, ErrDisconnected) {
		s.nsp.server.opts.Logger.Warn("leave not told: the socket is seen until the bus notices", "socket", s.id, "err", err)
	}
}

// returnSlack lets a client that comes back in the last moment find its place.
const returnSlack = time.Second

// mayBeAway is how long a member stays present without its client.
func (o *Options) mayBeAway() time.Duration {
	if o.Recovery == nil {
		return 0
	}
	return o.Recovery.MaxDisconnection + returnSlack
}
