package bustest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
)

// PresenceFactory makes a cluster whose links are belfry.Presence and
// belfry.RoomState.
type PresenceFactory struct {
	Factory
	// Kill ends the node of a link as if its process had died. Nil: Close.
	Kill func(belfry.Link)
}

// RunPresence checks the contracts of belfry.Presence and belfry.RoomState, as Run
// does with those of all buses.
func RunPresence(t *testing.T, fresh func(t *testing.T) PresenceFactory) {
	t.Helper()
	for _, c := range presenceChecks() {
		t.Run(c.name, func(t *testing.T) {
			if err := c.on(t.Context(), fresh(t)); err != nil {
				t.Errorf("%s\ncontract: %s", err, c.clause)
			}
		})
	}
}

// presenceCheck is one clause.
type presenceCheck struct {
	name   string
	clause string
	nodes  int
	run    func(ctx context.Context, h *hall) error
}

func (k presenceCheck) on(ctx context.Context, f PresenceFactory) error {
	inner := check{nodes: k.nodes, run: func(ctx context.Context, c *cluster) error {
		h := &hall{cluster: c, kill: f.Kill}
		for _, m := range c.members {
			if err := h.open(ctx, m); err != nil {
				return err
			}
		}
		return k.run(ctx, h)
	}}
	return inner.on(ctx, f.Factory)
}

func presenceChecks() []presenceCheck {
	return slices.Concat(memberChecks(), returnChecks(), stateChecks(), modelChecks())
}

// room is the one that checks are about, and backTime how long its members may be
// away when their node dies.
const (
	room     belfry.Room = "room"
	backTime             = 3 * time.Second
)

var hallPlace = belfry.Place{Namespace: namespace, Room: room}

// hall is a cluster whose nodes listen to the room.
type hall struct {
	*cluster
	kill  func(belfry.Link)
	alive []*guest
}

// guest is a node of a hall.
type guest struct {
	*member
	belfry.Presence
	belfry.RoomState
}

// open makes a node one that listens.
func (h *hall) open(ctx context.Context, m *member) error {
	p, ok := m.link.(belfry.Presence)
	s, ok2 := m.link.(belfry.RoomState)
	if !ok || !ok2 {
		return errors.New("the link does not implement belfry.Presence and belfry.RoomState")
	}
	if f, ok := m.link.(belfry.Follower); ok {
		if err := f.Follow(ctx, namespace, room); err != nil {
			return fmt.Errorf("follow: %w", err)
		}
	}
	h.alive = append(h.alive, &guest{m, p, s})
	return nil
}

// lose ends a node without a word.
func (h *hall) lose(ctx context.Context, i int) error {
	g := h.alive[i]
	h.alive = slices.Delete(slices.Clone(h.alive), i, i+1)
	if h.kill == nil {
		return g.close(ctx)
	}
	h.kill(g.link)
	return nil
}

func stay(id string, hold uint64) belfry.Stay {
	return belfry.Stay{Place: hallPlace, Socket: belfry.SocketID(id), Hold: hold}
}

func arrive(user, meta string) belfry.Entrance {
	e := belfry.Entrance{User: user, Back: backTime}
	if meta != "" {
		e.Meta = []byte(meta)
	}
	return e
}

// enter calls Enter and checks that the node has heard of it when it returns.
func (g *guest) enter(ctx context.Context, s belfry.Stay, e belfry.Entrance) (belfry.Present, error) {
	p, err := g.Enter(ctx, s, e)
	if err != nil {
		return p, fmt.Errorf("node %s: %s enters: %w", g.id, s.Socket, err)
	}
	view, err := g.view()
	if err != nil {
		return p, err
	}
	if got := view.members[s.Socket].Version; got != p.Version {
		return p, fmt.Errorf("node %s: Enter of %s has returned version %d, its own node has heard of %d", g.id, s.Socket, p.Version, got)
	}
	return p, nil
}

func (g *guest) exit(ctx context.Context, s belfry.Stay, away time.Duration) error {
	if err := g.Exit(ctx, s, away); err != nil {
		return fmt.Errorf("node %s: %s exits: %w", g.id, s.Socket, err)
	}
	return nil
}

// hears waits until the node has heard exactly this of the room.
func (g *guest) hears(ctx context.Context, want ...string) error {
	err := g.until(ctx, fmt.Sprint("what the room is told: ", want), func() bool { return len(newsOf(g.got)) >= len(want) })
	if got := newsOf(g.trace()); err != nil || !slices.Equal(got, want) {
		return errors.Join(fmt.Errorf("node %s has heard %q, want %q", g.id, got, want), err)
	}
	return nil
}

// allHear waits until all nodes have.
func (h *hall) allHear(ctx context.Context, want ...string) error {
	for _, g := range h.alive {
		if err := g.hears(ctx, want...); err != nil {
			return err
		}
	}
	return h.agree(ctx)
}

// agree checks that all nodes see who has been told of, and what they were told.
func (h *hall) agree(ctx context.Context) error {
	for _, g := range h.alive {
		view, err := g.view()
		if err != nil {
			return err
		}
		if err := view.matches(ctx, g); err != nil {
			return fmt.Errorf("node %s: %w", g.id, err)
		}
	}
	return nil
}
