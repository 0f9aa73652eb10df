package hub

import (
	"context"
	"encoding/json"
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

// Hold stores the session of a client that is here. See belfry.Sessions.
func (sp *Space) Hold(ctx context.Context, s *belfry.Session, ttl time.Duration, held bool) error {
	r, err := sp.hub.Recovery()
	if err != nil {
		return err
	}
	s.Namespace = sp.name
	return r.Hold(ctx, s, ttl, held)
}

// Keep stores the session of a client that has gone. See belfry.Sessions.
func (sp *Space) Keep(ctx context.Context, s *belfry.Session, ttl time.Duration, held bool) error {
	r, err := sp.hub.Recovery()
	if err != nil {
		return err
	}
	s.Namespace = sp.name
	return r.Keep(ctx, s, ttl, held)
}

// Forget drops a session that is held here.
func (sp *Space) Forget(ctx context.Context, id belfry.SessionID) error {
	r, err := sp.hub.Recovery()
	if err != nil {
		return err
	}
	return r.Drop(ctx, sp.name, id)
}

// Letting says what a node does when another wants a session that it holds.
type Letting string

const (
	Absent   Letting = "absent"   // no client here has it: it can be taken
	Refused  Letting = "refused"  // its client is here
	Busy     Letting = "busy"     // another client is just taking it here: ask again
	Released Letting = "released" // it is kept for whoever comes
)

// patience is how long the node that holds a session has to answer when another
// wants it. It asks its client, who gets a second.
const patience = 2500 * time.Millisecond

// Take takes a session over: of several callers in the cluster only one gets it.
// If a node holds it, that one is asked to let go; if it does not answer, the
// session is taken nevertheless. It ends with ctx.
func (sp *Space) Take(ctx context.Context, id belfry.SessionID) (*belfry.Session, error) {
	r, err := sp.hub.Recovery()
	if err != nil {
		return nil, err
	}
	silent := belfry.NodeID("")
	for {
		s, err := r.Take(ctx, sp.name, id, silent)
		var held *belfry.HeldError
		if !errors.As(err, &held) {
			return s, err
		}
		silent = ""
		switch sp.release(ctx, held.Owner, id) {
		case Refused:
			return nil, err
		case Absent:
			silent = held.Owner
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// release asks a node to let go of a session. A node that does not answer is as
// good as absent.
func (sp *Space) release(ctx context.Context, owner belfry.NodeID, id belfry.SessionID) Letting {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	m := &belfry.Message{Kind: belfry.Release, Data: []byte(id), To: owner}
	replies, err := sp.ask(ctx, m, []belfry.NodeID{owner})
	var answer Letting
	if err != nil || len(replies) == 0 || json.Unmarshal(replies[0].Body, &answer) != nil {
		return Absent
	}
	return answer
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
