package bustest

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
)

// attends is what the links of the memory bus are.
type attends interface {
	belfry.Link
	belfry.Presence
	belfry.RoomState
}

// absent is a bus whose presence is in good order but for what is overridden.
type absent struct {
	inner   belfry.Bus
	deliver func(n belfry.Node, m *belfry.Message)
	enter   func(ctx context.Context, l attends, s belfry.Stay, e belfry.Entrance) (belfry.Present, error)
	exit    func(ctx context.Context, l attends, s belfry.Stay, away time.Duration) error
	members func(ctx context.Context, l attends, at belfry.Place) ([]belfry.Present, error)
	set     func(ctx context.Context, l attends, at belfry.Place, e belfry.Entry, limit int) (belfry.Entry, error)
	kill    func(belfry.Link)
}

type absentLink struct {
	attends
	bus *absent
}

type absentNode struct {
	belfry.Node
	bus *absent
}

func (a *absent) factory(*testing.T) PresenceFactory {
	a.inner = memory.New(memory.Options{})
	return PresenceFactory{Factory: Factory{Bus: func(int) belfry.Bus { return a }}, Kill: a.kill}
}

func (a *absent) Attach(ctx context.Context, n belfry.Node) (belfry.Link, error) {
	link, err := a.inner.Attach(ctx, &absentNode{n, a})
	if err != nil {
		return nil, err
	}
	return &absentLink{link.(attends), a}, nil
}

func (n *absentNode) Deliver(m *belfry.Message) {
	if n.bus.deliver != nil {
		n.bus.deliver(n.Node, m)
		return
	}
	n.Node.Deliver(m)
}

func (l *absentLink) Enter(ctx context.Context, s belfry.Stay, e belfry.Entrance) (belfry.Present, error) {
	if l.bus.enter != nil {
		return l.bus.enter(ctx, l.attends, s, e)
	}
	return l.attends.Enter(ctx, s, e)
}

func (l *absentLink) Exit(ctx context.Context, s belfry.Stay, away time.Duration) error {
	if l.bus.exit != nil {
		return l.bus.exit(ctx, l.attends, s, away)
	}
	return l.attends.Exit(ctx, s, away)
}

func (l *absentLink) Members(ctx context.Context, at belfry.Place) ([]belfry.Present, error) {
	if l.bus.members != nil {
		return l.bus.members(ctx, l.attends, at)
	}
	return l.attends.Members(ctx, at)
}

func (l *absentLink) Set(ctx context.Context, at belfry.Place, e belfry.Entry, limit int) (belfry.Entry, error) {
	if l.bus.set != nil {
		return l.bus.set(ctx, l.attends, at, e, limit)
	}
	return l.attends.Set(ctx, at, e, limit)
}

// presenceControl is a bus that is broken on purpose, and the check that must find
// it.
type presenceControl struct {
	fault string
	check string
	finds string
	bus   func() *absent
}

func presenceControls() []presenceControl {
	members, places, closed := "all nodes know who is in a room", "rooms with similar names are apart", "presence of a closed link says so"
	returns, stays, dead := "who returns in time was never away", "who stays away leaves once", "the members of a dead node are away"
	wins, conflict, owner := "one caller wins each version", "a conflict tells what is there", "entries end with their owner"
	ends, limit := "state ends with the room", "state is bounded"
	model, atOnce := "rooms are as a simple model says", "rooms make sense while all nodes change them"
	return []presenceControl{
		{"does not tell of updates", members, "has heard of", tells(func(n belfry.Node, m *belfry.Message) {
			if !bytes.Contains(m.Data, []byte(belfry.EventPresenceUpdate)) {
				n.Deliver(m)
			}
		})},
		{"leaves the user out of the list", members, "members are", func() *absent {
			return &absent{members: func(ctx context.Context, l attends, at belfry.Place) ([]belfry.Present, error) {
				all, err := l.Members(ctx, at)
				for i := range all {
					all[i].User = ""
				}
				return all, err
			}}
		}},
		{"joins names carelessly", places, "nobody is present", entersAs(func(s belfry.Stay, e belfry.Entrance) (belfry.Stay, belfry.Entrance) {
			if s.Namespace == "/a#b" {
				s.Namespace, s.Room = "/a", "b#c"
			}
			return s, e
		})},
		{"takes members when closed", closed, "ErrClosed", func() *absent {
			return &absent{exit: func(context.Context, attends, belfry.Stay, time.Duration) error { return nil }}
		}},
		{"takes a return for a join", returns, "has returned version", func() *absent {
			return &absent{enter: func(ctx context.Context, l attends, s belfry.Stay, e belfry.Entrance) (belfry.Present, error) {
				p, err := l.Enter(ctx, s, e)
				if e.Kind == belfry.Return {
					p.Version++
				}
				return p, err
			}}
		}},
		{"tells of a return", returns, "has heard", func() *absent {
			return &absent{enter: func(ctx context.Context, l attends, s belfry.Stay, e belfry.Entrance) (belfry.Present, error) {
				p, err := l.Enter(ctx, s, e)
				if err != nil || e.Kind != belfry.Return {
					return p, err
				}
				again := belfry.Entrance{User: p.User, Meta: p.Meta}
				return p, errors.Join(err, l.Exit(ctx, s, 0), second(l.Enter(ctx, s, again)))
			}}
		}},
		{"believes an earlier connection", returns, "", believesAnyone},
		{"lets nobody be away", stays, "too soon", exits(func(time.Duration) time.Duration { return 0 })},
		{"never lets go", stays, "in vain", exits(func(d time.Duration) time.Duration { return max(d, time.Hour) })},
		{"forgets the dead", dead, "in vain", func() *absent { return &absent{kill: func(belfry.Link) {}} }},
		{"buries the dead twice", dead, "heard", func() *absent {
			return &absent{deliver: func(n belfry.Node, m *belfry.Message) {
				n.Deliver(m)
				if bytes.Contains(m.Data, []byte(belfry.EventPresenceLeave)) {
					again := *m
					again.Data = bytes.Replace(m.Data, []byte(`"version":`), []byte(`"version":9999`), 1)
					n.Deliver(&again)
				}
			}}
		}},
		{"lets the last caller win", wins, "both won", func() *absent {
			return &absent{set: func(ctx context.Context, l attends, at belfry.Place, e belfry.Entry, limit int) (belfry.Entry, error) {
				for {
					set, err := l.Set(ctx, at, e, limit)
					conflict := new(belfry.ConflictError)
					if !errors.As(err, &conflict) {
						return set, err
					}
					e.Version = conflict.Current.Version
				}
			}}
		}},
		{"does not say what is there", conflict, "want a conflict", func() *absent {
			return &absent{set: func(ctx context.Context, l attends, at belfry.Place, e belfry.Entry, limit int) (belfry.Entry, error) {
				set, err := l.Set(ctx, at, e, limit)
				if errors.Is(err, belfry.ErrConflict) {
					err = &belfry.ConflictError{}
				}
				return set, err
			}}
		}},
		{"knows no owners", owner, "ErrNotPresent", setsAs(func(e belfry.Entry, limit int) (belfry.Entry, int) {
			e.Owner = ""
			return e, limit
		})},
		{"keeps what has an owner", owner, "has heard", setsAs(func(e belfry.Entry, limit int) (belfry.Entry, int) {
			if e.Owner == "ada" {
				e.Owner = ""
			}
			return e, limit
		})},
		{"keeps the state of empty rooms", ends, "its state is", withLodger},
		{"has no bound", limit, "ErrTooManyEntries", setsAs(func(e belfry.Entry, _ int) (belfry.Entry, int) { return e, 1000 })},
		{"loses now and then a leave", model, "seed", sometimes(func(belfry.Node, *belfry.Message) {})},
		{"tells things late", model, "seed", func() *absent {
			var mu sync.Mutex
			late := map[belfry.NodeID]*belfry.Message{}
			return &absent{deliver: func(n belfry.Node, m *belfry.Message) {
				mu.Lock()
				held := late[n.ID()]
				delete(late, n.ID())
				if held == nil && n.ID() == "node1" && bytes.Contains(m.Data, []byte(belfry.EventState)) {
					late[n.ID()] = m
					mu.Unlock()
					return
				}
				mu.Unlock()
				n.Deliver(m)
				if held != nil {
					n.Deliver(held)
				}
			}}
		}},
		{"tells nodes different things", atOnce, "", sometimes(func(n belfry.Node, m *belfry.Message) {
			if n.ID() != "node1" {
				n.Deliver(m)
			}
		})},
	}
}

func second[T any](_ T, err error) error { return err }

func tells(f func(n belfry.Node, m *belfry.Message)) func() *absent {
	return func() *absent { return &absent{deliver: f} }
}

// sometimes does f with the fifth leave that a node hears of.
func sometimes(f func(n belfry.Node, m *belfry.Message)) func() *absent {
	return func() *absent {
		var mu sync.Mutex
		heard := map[belfry.NodeID]int{}
		return &absent{deliver: func(n belfry.Node, m *belfry.Message) {
			mu.Lock()
			if bytes.Contains(m.Data, []byte(belfry.EventPresenceLeave)) {
				heard[n.ID()]++
			}
			now := heard[n.ID()] == 5
			if now {
				heard[n.ID()]++
			}
			mu.Unlock()
			if now {
				f(n, m)
				return
			}
			n.Deliver(m)
		}}
	}
}

func entersAs(f func(belfry.Stay, belfry.Entrance) (belfry.Stay, belfry.Entrance)) func() *absent {
	return func() *absent {
		return &absent{enter: func(ctx context.Context, l attends, s belfry.Stay, e belfry.Entrance) (belfry.Present, error) {
			s, e = f(s, e)
			return l.Enter(ctx, s, e)
		}}
	}
}

func exits(f func(time.Duration) time.Duration) func() *absent {
	return func() *absent {
		return &absent{exit: func(ctx context.Context, l attends, s belfry.Stay, away time.Duration) error {
			return l.Exit(ctx, s, f(away))
		}}
	}
}

func setsAs(f func(belfry.Entry, int) (belfry.Entry, int)) func() *absent {
	return func() *absent {
		return &absent{set: func(ctx context.Context, l attends, at belfry.Place, e belfry.Entry, limit int) (belfry.Entry, error) {
			e, limit = f(e, limit)
			return l.Set(ctx, at, e, limit)
		}}
	}
}

// believesAnyone gives all connections of a node the same hold.
func believesAnyone() *absent {
	return &absent{
		enter: func(ctx context.Context, l attends, s belfry.Stay, e belfry.Entrance) (belfry.Present, error) {
			s.Hold = 1
			return l.Enter(ctx, s, e)
		},
		exit: func(ctx context.Context, l attends, s belfry.Stay, away time.Duration) error {
			s.Hold = 1
			return l.Exit(ctx, s, away)
		},
	}
}

// withLodger keeps rooms from being empty by a member that the list leaves out.
func withLodger() *absent {
	return &absent{
		enter: func(ctx context.Context, l attends, s belfry.Stay, e belfry.Entrance) (belfry.Present, error) {
			p, err := l.Enter(ctx, s, e)
			lodger := s
			lodger.Socket = "lodger"
			return p, errors.Join(err, second(l.Enter(ctx, lodger, belfry.Entrance{})))
		},
		deliver: func(n belfry.Node, m *belfry.Message) {
			if !bytes.Contains(m.Data, []byte("lodger")) {
				n.Deliver(m)
			}
		},
	}
}

// TestPresenceControls breaks presence in one way at a time.
func TestPresenceControls(t *testing.T) {
	byName := map[string]presenceCheck{}
	for _, c := range presenceChecks() {
		byName[c.name] = c
	}
	covered := map[string]bool{}
	for _, ct := range presenceControls() {
		covered[ct.check] = true
		t.Run(ct.fault, func(t *testing.T) {
			t.Parallel()
			c, ok := byName[ct.check]
			if !ok {
				t.Fatalf("no check %q", ct.check)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			switch err := c.on(ctx, ct.bus().factory(t)); {
			case err == nil:
				t.Errorf("check %q finds nothing wrong", ct.check)
			case !strings.Contains(err.Error(), ct.finds):
				t.Errorf("check %q finds %q, want %q", ct.check, err, ct.finds)
			}
		})
	}
	for name := range byName {
		if !covered[name] {
			t.Errorf("no control for check %q", name)
		}
	}
}

// TestNothingFoundInPresenceWithoutAFault shows that the harness of the controls
// is not what they find.
func TestNothingFoundInPresenceWithoutAFault(t *testing.T) {
	RunPresence(t, func(t *testing.T) PresenceFactory { return new(absent).factory(t) })
}
