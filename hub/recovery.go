package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed-09a96375/belfry"
)

// ErrNoRecovery says that the bus keeps neither log nor sessions.
var ErrNoRecovery = errors.New("this bus keeps no log: recovery is not possible")

// Recovery is the part of a bus that lets clients take up where they left.
type Recovery interface {
	belfry.Log
	belfry.Sessions
}

// Recovery returns that part of the bus, or ErrNoRecovery.
func (h *Hub) Recovery() (Recovery, error) {
	if r, ok := h.link.(Recovery); ok {
		return r, nil
	}
	return nil, ErrNoRecovery
}

// Keep stores the session for at least ttl.
func (sp *Space) Keep(ctx context.Context, s *belfry.Session, ttl time.Duration) error {
	r, err := sp.hub.Recovery()
	if err != nil {
		return err
	}
	s.Namespace = sp.name
	return r.Keep(ctx, s, ttl)
}

// Take takes a session over: of several callers in the cluster only one gets it.
// If a member somewhere still has it, that one's node is asked to let go.
func (sp *Space) Take(ctx context.Context, id belfry.SessionID) (*belfry.Session, error) {
	r, err := sp.hub.Recovery()
	if err != nil {
		return nil, err
	}
	s, err := r.Take(ctx, sp.name, id)
	if !errors.Is(err, belfry.ErrNoSession) || !sp.released(ctx, id) {
		return s, err
	}
	return r.Take(ctx, sp.name, id)
}

// released asks all nodes to let go of a session; it reports whether one did.
func (sp *Space) released(ctx context.Context, id belfry.SessionID) bool {
	// Who does not answer holds no session that could be taken: no error.
	replies, _ := sp.Request(ctx, &belfry.Message{Kind: belfry.Release, Data: []byte(id)}, All)
	return slices.ContainsFunc(replies, func(r *belfry.Reply) bool { return string(r.Body) == "true" })
}

// Missed returns what the session would have got after the given offset. The
// member must already be in its rooms, so that nothing falls between the replay
// and the live messages. It fails with belfry.ErrNoOffset if the log does not
// reach back that far.
func (sp *Space) Missed(ctx context.Context, s *belfry.Session, after belfry.Offset) ([]*belfry.Message, error) {
	r, err := sp.hub.Recovery()
	if err != nil {
		return nil, err
	}
	since := membershipOf(s)
	var missed []*belfry.Message
	err = r.Replay(ctx, sp.name, after, func(m *belfry.Message) error {
		if wanted(m, since, r.Before) {
			missed = append(missed, m)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	return missed, nil
}

// membershipOf maps each room of the session, its own id and the namespace
// itself ("") included, to the position from which on it counts.
func membershipOf(s *belfry.Session) map[belfry.Room]belfry.Offset {
	since := map[belfry.Room]belfry.Offset{"": s.Since, belfry.Room(s.Socket): s.Since}
	for _, m := range s.Rooms {
		since[m.Room] = m.Since
	}
	return since
}

func wanted(m *belfry.Message, since map[belfry.Room]belfry.Offset, before func(a, b belfry.Offset) bool) bool {
	in := func(r belfry.Room) bool {
		from, ok := since[r]
		return ok && before(from, m.Offset)
	}
	if slices.ContainsFunc(m.Target.Except, in) {
		return false
	}
	if len(m.Target.Rooms) == 0 {
		return in("")
	}
	return slices.ContainsFunc(m.Target.Rooms, in)
}

// Position is the place in the log from which on a new member sees everything;
// empty without a log.
func (sp *Space) Position(ctx context.Context) (belfry.Offset, error) {
	r, err := sp.hub.Recovery()
	if err != nil {
		return "", err
	}
	return r.Position(ctx)
}

// Before reports whether a comes before b in the log.
func (sp *Space) Before(a, b belfry.Offset) bool {
	r, err := sp.hub.Recovery()
	return err == nil && r.Before(a, b)
}
