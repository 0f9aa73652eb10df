package bustest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

func stateChecks() []presenceCheck {
	return []presenceCheck{
		{
			name:   "one caller wins each version",
			clause: "of several callers with one version only one can succeed",
			nodes:  3, run: checkCompareAndSet,
		},
		{
			name:   "a conflict tells what is there",
			clause: "A *ConflictError has the entry that is there instead",
			nodes:  2, run: checkConflict,
		},
		{
			name:   "entries end with their owner",
			clause: "the entry ends when its owner leaves, told before it leaves",
			nodes:  2, run: checkOwner,
		},
		{
			name:   "state ends with the room",
			clause: "entries end when the last member of the room leaves",
			nodes:  2, run: checkStateEnds,
		},
		{
			name:   "state is bounded",
			clause: "ErrTooManyEntries: the room would have more than limit entries",
			nodes:  2, run: checkLimit,
		},
	}
}

// entries is the limit of checks that are not about it.
const entries = 100

func (g *guest) set(ctx context.Context, key, value string, version uint64, owner string) (belfry.Entry, error) {
	e := belfry.Entry{Key: key, Version: version, Owner: belfry.SocketID(owner)}
	if value != "" {
		e.Value = json.RawMessage(value)
	}
	return g.Set(ctx, hallPlace, e, entries)
}

// checkCompareAndSet counts one number up from all nodes at once.
func checkCompareAndSet(ctx context.Context, h *hall) error {
	const callers, each = 5, 12
	if _, err := h.alive[0].enter(ctx, stay("ada", 1), arrive("", "")); err != nil {
		return err
	}
	var won sync.Map // by the version that was replaced
	var all sync.WaitGroup
	errs := make(chan error, len(h.alive)*callers)
	for _, g := range h.alive {
		for range callers {
			all.Go(func() { errs <- g.countUp(ctx, each, &won) })
		}
	}
	all.Wait()
	for range cap(errs) {
		if err := <-errs; err != nil {
			return err
		}
	}
	state, err := h.alive[0].Entries(ctx, hallPlace)
	if err != nil {
		return err
	}
	want := strconv.Itoa(cap(errs) * each)
	if len(state) != 1 || string(state[0].Value) != want {
		return fmt.Errorf("after %s additions of one the state is %+v", want, state)
	}
	told := []string{"join ada  null"}
	for i := range cap(errs) * each {
		told = append(told, fmt.Sprint("set n ", i+1))
	}
	return h.allHear(ctx, told...)
}

// countUp adds one so many times.
func (g *guest) countUp(ctx context.Context, times int, won *sync.Map) error {
	var seen belfry.Entry
	for times > 0 {
		n, _ := strconv.Atoi(string(seen.Value))
		set, err := g.set(ctx, "n", strconv.Itoa(n+1), seen.Version, "")
		var conflict *belfry.ConflictError
		switch {
		case errors.As(err, &conflict) && conflict.Current.Version != seen.Version:
			seen = conflict.Current
			continue
		case err != nil:
			return fmt.Errorf("node %s: set: %w", g.id, err)
		}
		if other, again := won.LoadOrStore(seen.Version, g.id); again {
			return fmt.Errorf("nodes %s and %s have both won version %d", other, g.id, seen.Version)
		}
		seen = set
		times--
	}
	return nil
}

func checkConflict(ctx context.Context, h *hall) error {
	a, b := h.alive[0], h.alive[1]
	if _, err := a.set(ctx, "k", "1", 0, ""); !errors.Is(err, belfry.ErrEmptyRoom) {
		return fmt.Errorf("set in an empty room: %v, want ErrEmptyRoom", err)
	}
	if _, err := a.enter(ctx, stay("ada", 1), arrive("", "")); err != nil {
		return err
	}
	first, err := a.set(ctx, "kéy\n", `{"a":"<&>"}`, 0, "ada")
	if err != nil {
		return err
	}
	for _, version := range []uint64{0, first.Version - 1, first.Version + 1} {
		_, err := b.set(ctx, "kéy\n", `2`, version, "")
		if conflict := new(belfry.ConflictError); !errors.As(err, &conflict) || !sameEntry(conflict.Current, first) {
			return fmt.Errorf("set of version %d: %v, want a conflict with %+v", version, err, first)
		}
	}
	_, err = b.set(ctx, "other", `2`, 5, "")
	if conflict := new(belfry.ConflictError); !errors.As(err, &conflict) || conflict.Current.Version != 0 || conflict.Current.Key != "other" {
		return fmt.Errorf("set of what is not there: %v, want a conflict with version 0", err)
	}
	if _, err := b.set(ctx, "other", "", 0, ""); err != nil {
		return fmt.Errorf("delete of what is not there: %w", err)
	}
	second, err := b.set(ctx, "kéy\n", `null`, first.Version, "")
	if err != nil {
		return err
	}
	if _, err := a.set(ctx, "kéy\n", "", second.Version, ""); err != nil {
		return err
	}
	third, err := a.set(ctx, "kéy\n", `3`, 0, "")
	if err != nil {
		return err
	}
	if third.Version <= second.Version {
		return fmt.Errorf("version %d after %d: versions must grow", third.Version, second.Version)
	}
	return h.allHear(ctx, "join ada  null", "set kéy\n "+`{"a":"<&>"}`, "set kéy\n null", "end kéy\n", "set kéy\n 3")
}

func checkOwner(ctx context.Context, h *hall) error {
	a, b := h.alive[0], h.alive[1]
	for _, id := range []string{"ada", "bob", "eve"} {
		if _, err := a.enter(ctx, stay(id, 1), arrive("", "")); err != nil {
			return err
		}
	}
	if _, err := b.set(ctx, "k", "1", 0, "nobody"); !errors.Is(err, belfry.ErrNotPresent) {
		return fmt.Errorf("set for an owner that is not there: %v, want ErrNotPresent", err)
	}
	for _, e := range [][2]string{{"b", "ada"}, {"a", "ada"}, {"c", "bob"}, {"d", ""}} {
		if _, err := b.set(ctx, e[0], "1", 0, e[1]); err != nil {
			return err
		}
	}
	if err := a.exit(ctx, stay("bob", 1), time.Minute); err != nil { // away: it keeps what it has
		return err
	}
	if err := a.exit(ctx, stay("ada", 1), 300*time.Millisecond); err != nil {
		return err
	}
	told := []string{
		"join ada  null", "join bob  null", "join eve  null",
		"set b 1", "set a 1", "set c 1", "set d 1", "end a", "end b", "leave ada",
	}
	if err := h.allHear(ctx, told...); err != nil {
		return err
	}
	if err := a.exit(ctx, stay("bob", 1), 0); err != nil {
		return err
	}
	return h.allHear(ctx, append(told, "end c", "leave bob")...)
}

func checkStateEnds(ctx context.Context, h *hall) error {
	a, b := h.alive[0], h.alive[1]
	if _, err := a.enter(ctx, stay("ada", 1), arrive("", "")); err != nil {
		return err
	}
	for key, owner := range map[string]string{"own": "ada", "of all": ""} {
		if _, err := b.set(ctx, key, "1", 0, owner); err != nil {
			return err
		}
	}
	if err := a.exit(ctx, stay("ada", 1), 0); err != nil {
		return err
	}
	if _, err := b.enter(ctx, stay("bob", 1), arrive("", "")); err != nil {
		return err
	}
	if left, err := b.Entries(ctx, hallPlace); err != nil || len(left) > 0 {
		return fmt.Errorf("the room emptied, its state is %+v, %v", left, err)
	}
	if _, err := a.set(ctx, "own", "2", 0, ""); err != nil {
		return err
	}
	return h.agree(ctx)
}

func checkLimit(ctx context.Context, h *hall) error {
	a, b := h.alive[0], h.alive[1]
	if _, err := a.enter(ctx, stay("ada", 1), arrive("", "")); err != nil {
		return err
	}
	put := func(g *guest, key string, version uint64) (belfry.Entry, error) {
		return g.Set(ctx, hallPlace, belfry.Entry{Key: key, Value: []byte("1"), Version: version}, 2)
	}
	one, err := put(a, "one", 0)
	if err != nil {
		return err
	}
	if _, err := put(b, "two", 0); err != nil {
		return err
	}
	if _, err := put(b, "three", 0); !errors.Is(err, belfry.ErrTooManyEntries) {
		return fmt.Errorf("one more than the limit: %v, want ErrTooManyEntries", err)
	}
	if one, err = put(b, "one", one.Version); err != nil {
		return fmt.Errorf("an entry that is there: %w", err)
	}
	if _, err := a.set(ctx, "one", "", one.Version, ""); err != nil {
		return err
	}
	_, err = put(b, "three", 0)
	return err
}
