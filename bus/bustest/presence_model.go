package bustest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/seed-09a96375/belfry"
)

func modelChecks() []presenceCheck {
	return []presenceCheck{
		{
			name:   "rooms are as a simple model says",
			clause: "each change is told to the room, in the order of the changes, and nothing else is",
			nodes:  3, run: func(ctx context.Context, h *hall) error { return checkModel(ctx, h, rand.Uint64()) },
		},
		{
			name:   "rooms make sense while all nodes change them",
			clause: "the messages of a room come in the order of its changes; versions of a room grow",
			nodes:  3, run: checkAtOnce,
		},
	}
}

// model is what a room should be like, and what it should have been told.
type model struct {
	random  *rand.Rand
	hall    *hall
	members map[string]*modelMember
	entries map[string]belfry.Entry
	holds   uint64
	told    []string
}

type modelMember struct {
	on         *guest
	stay       belfry.Stay
	away       bool
	user, meta string
}

// checkModel does one thing after the other on any node, and compares what all
// have heard with what the model says. Twice a node dies.
func checkModel(ctx context.Context, h *hall, seed uint64) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("seed %d: %w", seed, err)
		}
	}()
	m := &model{
		random: rand.New(rand.NewPCG(seed, 1)), //nolint:gosec // a seed to repeat it by
		hall:   h, members: map[string]*modelMember{}, entries: map[string]belfry.Entry{},
	}
	for round := range 3 {
		for range 60 {
			if err := m.step(ctx); err != nil {
				return err
			}
		}
		if err := h.allHear(ctx, m.told...); err != nil {
			return err
		}
		if round < 2 {
			if err := m.death(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *model) step(ctx context.Context) error {
	id := fmt.Sprint("s", m.random.IntN(6))
	g := m.hall.alive[m.random.IntN(len(m.hall.alive))]
	x := m.members[id]
	switch n := m.random.IntN(10); {
	case n < 3:
		return m.state(ctx, g)
	case x == nil:
		return m.arrive(ctx, g, id)
	case x.away:
		return m.comeBack(ctx, g, id)
	case n < 5:
		x.meta = fmt.Sprint(m.random.IntN(3))
		return m.amend(ctx, id, x)
	case n < 6: // a connection that no longer has it
		stale := x.stay
		stale.Hold = m.holds + 100
		return errors.Join(g.exit(ctx, stale, 0), x.on.exit(ctx, stale, 0))
	case n < 8:
		x.away = true
		return x.on.exit(ctx, x.stay, time.Minute)
	default:
		m.leave(id)
		return x.on.exit(ctx, x.stay, 0)
	}
}

func (m *model) tell(format string, args ...any) {
	m.told = append(m.told, fmt.Sprintf(format, args...))
}

func (m *model) newStay(id string) belfry.Stay {
	m.holds++
	return stay(id, m.holds)
}

func (m *model) arrive(ctx context.Context, g *guest, id string) error {
	x := &modelMember{on: g, stay: m.newStay(id), user: "user of " + id, meta: fmt.Sprint(m.random.IntN(3))}
	m.members[id] = x
	m.tell("join %s %s %s", id, x.user, x.meta)
	_, err := g.enter(ctx, x.stay, arrive(x.user, x.meta))
	return err
}

func (m *model) comeBack(ctx context.Context, g *guest, id string) error {
	x := m.members[id]
	x.on, x.stay, x.away = g, m.newStay(id), false
	e := arrive("", "")
	e.Kind = belfry.Return
	p, err := g.enter(ctx, x.stay, e)
	if err == nil && (p.User != x.user || string(p.Meta) != x.meta) {
		err = fmt.Errorf("%s returned as %+v, was %+v", id, p, x)
	}
	return err
}

func (m *model) amend(ctx context.Context, id string, x *modelMember) error {
	before, err := m.present(ctx, id)
	if err != nil {
		return err
	}
	if string(before.Meta) != x.meta {
		m.tell("update %s %s %s", id, x.user, x.meta)
	}
	_, err = x.on.enter(ctx, x.stay, amend(x.user, x.meta))
	return err
}

func (m *model) present(ctx context.Context, id string) (belfry.Present, error) {
	all, err := m.hall.alive[0].Members(ctx, hallPlace)
	if err != nil {
		return belfry.Present{}, err
	}
	i := slices.IndexFunc(all, func(p belfry.Present) bool { return string(p.ID) == id })
	if i < 0 {
		return belfry.Present{}, fmt.Errorf("%s is not among the members", id)
	}
	return all[i], nil
}

// leave takes a member out of the model.
func (m *model) leave(id string) {
	delete(m.members, id)
	for _, key := range slices.Sorted(maps.Keys(m.entries)) {
		switch {
		case len(m.members) == 0:
			delete(m.entries, key)
		case string(m.entries[key].Owner) == id:
			delete(m.entries, key)
			m.tell("end %s", key)
		}
	}
	m.tell("leave %s", id)
}

// state sets or deletes an entry, sometimes with a wrong version or owner.
func (m *model) state(ctx context.Context, g *guest) error {
	key, owner := fmt.Sprint("k", m.random.IntN(4)), ""
	if m.random.IntN(2) == 0 {
		owner = fmt.Sprint("s", m.random.IntN(6))
	}
	current := m.entries[key]
	version, value := current.Version, fmt.Sprint(m.random.IntN(100))
	switch m.random.IntN(5) {
	case 0:
		version++
	case 1:
		value, owner = "", ""
	}
	set, err := g.set(ctx, key, value, version, owner)
	switch {
	case len(m.members) == 0:
		return wants(err, belfry.ErrEmptyRoom)
	case version != current.Version:
		return wants(err, belfry.ErrConflict)
	case owner != "" && m.members[owner] == nil:
		return wants(err, belfry.ErrNotPresent)
	case err != nil:
		return err
	case value == "" && current.Version > 0:
		delete(m.entries, key)
		m.tell("end %s", key)
	case value != "":
		m.entries[key] = set
		m.tell("set %s %s", key, value)
	}
	return nil
}

func wants(got, want error) error {
	if !errors.Is(got, want) {
		return fmt.Errorf("got %w, want %w", got, want)
	}
	return nil
}

// death ends a node. Some of its members return, the others leave, in any order;
// another node takes its place.
func (m *model) death(ctx context.Context) error {
	i := m.random.IntN(len(m.hall.alive))
	dead := m.hall.alive[i]
	if err := m.hall.lose(ctx, i); err != nil {
		return err
	}
	var left []string
	for _, id := range slices.Sorted(maps.Keys(m.members)) {
		x := m.members[id]
		if x.on != dead || x.away {
			continue
		}
		if m.random.IntN(2) == 0 {
			if err := m.comeBack(ctx, m.hall.alive[m.random.IntN(len(m.hall.alive))], id); err != nil {
				return err
			}
			continue
		}
		left = append(left, id)
	}
	if err := m.hearDeath(ctx, left); err != nil {
		return err
	}
	next, err := m.hall.attach(ctx)
	if err != nil {
		return err
	}
	return m.hall.openLate(ctx, next, m.told)
}

// hearDeath waits until the leaves of a dead node's members have come, and brings
// the model into the order in which they did.
func (m *model) hearDeath(ctx context.Context, left []string) error {
	g := m.hall.alive[0]
	leaves := func(trace []*belfry.Message) (ids []string) {
		for _, n := range newsOf(trace)[len(m.told):] {
			var id string
			if _, err := fmt.Sscanf(n, "leave %s", &id); err == nil {
				ids = append(ids, id)
			}
		}
		return ids
	}
	told := func() bool { return len(newsOf(g.got)) >= len(m.told) && len(leaves(g.got)) >= len(left) }
	if err := g.until(ctx, fmt.Sprint("the leaves of ", left), told); err != nil {
		return err
	}
	order := leaves(g.trace())
	if sorted := slices.Sorted(slices.Values(order)); !slices.Equal(sorted, left) {
		return fmt.Errorf("after the death of a node %q left, want %q", sorted, left)
	}
	for _, id := range order {
		m.leave(id)
	}
	return m.hall.allHear(ctx, m.told...)
}

// openLate makes a node one that listens, with what the others have heard before.
func (h *hall) openLate(ctx context.Context, next *member, told []string) error {
	if err := h.open(ctx, next); err != nil {
		return err
	}
	old := h.alive[0].trace()
	if got := newsOf(old); len(got) != len(told) {
		return fmt.Errorf("heard %q, want %q", got, told)
	}
	next.mu.Lock()
	defer next.mu.Unlock()
	next.got = append(slices.Clone(old), next.got...)
	return nil
}

// checkAtOnce lets all nodes change the room at the same time.
func checkAtOnce(ctx context.Context, h *hall) error {
	const workers, steps = 4, 40
	results := make(chan error, len(h.alive)*workers)
	for n, g := range h.alive {
		for w := range workers {
			go func() { results <- g.wander(ctx, fmt.Sprintf("n%dw%d", n, w), steps) }()
		}
	}
	var errs []error
	for range cap(results) {
		errs = append(errs, <-results)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if _, err := h.alive[0].enter(ctx, stay("end", 1), arrive("", "")); err != nil {
		return err
	}
	var first []string
	for i, g := range h.alive {
		last := func() bool { n := newsOf(g.got); return len(n) > 0 && n[len(n)-1] == "join end  null" }
		if err := g.until(ctx, "the end", last); err != nil {
			return err
		}
		heard := newsOf(g.trace())
		if i == 0 {
			first = heard
		}
		if !slices.Equal(heard, first) {
			return fmt.Errorf("node %s has heard %q, another %q", g.id, heard, first)
		}
	}
	return h.agree(ctx)
}

// wander changes one member and some entries again and again.
func (g *guest) wander(ctx context.Context, id string, steps int) error {
	for i := range steps {
		s := stay(id, uint64(i/4))
		var err error
		switch i % 4 {
		case 0:
			_, err = g.Enter(ctx, s, arrive(id, ""))
		case 1:
			_, err = g.set(ctx, fmt.Sprint("k", i%7), "1", 0, id)
		case 2:
			_, err = g.Enter(ctx, s, amend(id, "1"))
		case 3:
			err = g.Exit(ctx, s, 0)
		}
		if err != nil && !errors.Is(err, belfry.ErrConflict) {
			return fmt.Errorf("node %s: step %d of %s: %w", g.id, i, id, err)
		}
	}
	return nil
}
