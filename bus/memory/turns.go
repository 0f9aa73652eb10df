package memory

import (
	"context"
	"hash/maphash"
	"math/bits"

	"github.com/seed-09a96375/belfry"
)

// turn is a mutex whose wait ends with a context. Waiters get it in the order
// in which they came.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// wait is called first by who has to.
func (t turn) take(ctx context.Context, wait ...func()) error {
	select {
	case t <- struct{}{}:
		return nil
	default:
	}
	for _, f := range wait {
		f()
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) give() { <-t }

// turns are the turns of all rooms of all namespaces, by hash.
type turns struct {
	seed  maphash.Seed
	turns [64]turn
}

// set is a set of turns, one bit each.
type set uint64

func newTurns() turns {
	t := turns{seed: maphash.MakeSeed()}
	for i := range t.turns {
		t.turns[i] = newTurn()
	}
	return t
}

// of returns the turns that m needs.
func (t *turns) of(m *belfry.Message) set {
	var s set
	if len(m.Target.Rooms) == 0 {
		s = t.room(m.Namespace, "") // no room has this name
	}
	for _, name := range m.Target.Rooms {
		s |= t.room(m.Namespace, name)
	}
	for _, name := range m.Rooms {
		s |= t.room(m.Namespace, name)
	}
	return s
}

func (t *turns) room(namespace string, name belfry.Room) set {
	type key struct {
		namespace string
		name      belfry.Room
	}
	h := maphash.Comparable(t.seed, key{namespace, name})
	return 1 << (h % uint64(len(t.turns)))
}

// take takes them in ascending order, all or, if ctx ends first, none.
func (t *turns) take(ctx context.Context, s set, wait ...func()) error {
	for rest := s; rest != 0; rest &= rest - 1 {
		if err := t.turns[bits.TrailingZeros64(uint64(rest))].take(ctx, wait...); err != nil {
			t.give(s &^ rest)
			return err
		}
	}
	return nil
}

func (t *turns) give(s set) {
	for ; s != 0; s &= s - 1 {
		t.turns[bits.TrailingZeros64(uint64(s))].give()
	}
}
