package bustest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seed-09a96375/belfry"
)

func logChecks() []check {
	return []check{
		{
			name:   "what is to be logged is logged, nothing else",
			clause: "Kind Emit alone is logged; not Volatile, Unlogged, or with a Request",
			nodes:  2, keeps: true, run: checkWhatIsLogged,
		},
		{
			name:   "position is before what follows",
			clause: "Position returns the offset after which everything published from now on comes",
			nodes:  2, keeps: true, run: checkPosition,
		},
		{
			name:   "before is an order",
			clause: "Before reports whether a comes before b in the log",
			nodes:  2, keeps: true, run: checkBefore,
		},
		{
			name:   "offsets that the log does not know are refused",
			clause: "ErrNoOffset if the log does not know the offset, before any call of f",
			nodes:  2, keeps: true, run: checkUnknownOffset,
		},
		{
			name:   "offsets that the log no longer reaches are refused",
			clause: "ErrNoOffset if the log no longer reaches back to the offset, before any call of f",
			nodes:  2, keeps: true, trims: true, run: checkTrimmedOffset,
		},
	}
}

// wanted reports whether a sample is for the log.
func wanted(m *belfry.Message) bool {
	return m.Kind == belfry.Emit && !m.Volatile && !m.Unlogged && m.Request == 0
}

func checkWhatIsLogged(ctx context.Context, c *cluster) error {
	log, err := c.members[0].log()
	if err != nil {
		return err
	}
	begin, err := log.Position(ctx)
	if err != nil {
		return err
	}
	var want []*belfry.Message
	for i, m := range samples() {
		m.Namespace = namespace
		if err := c.members[i%2].link.Publish(ctx, m); err != nil {
			return err
		}
		if wanted(m) != (m.Offset != "") {
			return fmt.Errorf("sample %d of kind %d got the offset %q", i, m.Kind, m.Offset)
		}
		if wanted(m) {
			want = append(want, m)
		}
	}
	got, err := replay(ctx, log, begin)
	if err != nil {
		return err
	}
	if len(got) != len(want) {
		return fmt.Errorf("%d messages were logged, want %d", len(got), len(want))
	}
	for i := range want {
		if err := same(got[i], want[i]); err != nil {
			return fmt.Errorf("logged message %d: %w", i, err)
		}
		if got[i].Offset != want[i].Offset {
			return fmt.Errorf("logged message %d: offset %q, was published with %q", i, got[i].Offset, want[i].Offset)
		}
	}
	return nil
}

// replay collects what Replay gives for the suite's namespace.
func replay(ctx context.Context, log belfry.Log, after belfry.Offset) (all []*belfry.Message, err error) {
	err = log.Replay(ctx, namespace, after, func(m *belfry.Message) error {
		all = append(all, m)
		return nil
	})
	return all, err
}

func checkPosition(ctx context.Context, c *cluster) error {
	log, err := c.members[0].log()
	if err != nil {
		return err
	}
	for i := range 10 {
		at, err := log.Position(ctx)
		if err != nil {
			return err
		}
		var ids []string
		for k := range i {
			m := event(fmt.Sprintf("m%d.%d", i, k), to("room"))
			ids = append(ids, idOf(m))
			if err := c.members[k%2].publish(ctx, m); err != nil {
				return err
			}
			if !log.Before(at, m.Offset) {
				return fmt.Errorf("%s was published after position %s, but is at %s", idOf(m), at, m.Offset)
			}
		}
		got, err := replay(ctx, log, at)
		if err != nil {
			return fmt.Errorf("replay from a position: %w", err)
		}
		if err := sameSequence(ids, idsOf(got)); err != nil {
			return fmt.Errorf("published and replayed after position %s: %w", at, err)
		}
	}
	return nil
}

func checkBefore(ctx context.Context, c *cluster) error {
	log, err := c.members[1].log()
	if err != nil {
		return err
	}
	var offsets []belfry.Offset
	for i := range 120 { // passes 9, 10 and 99, 100
		m := event(fmt.Sprint("m", i), to("room"))
		if err := c.members[0].publish(ctx, m); err != nil {
			return err
		}
		offsets = append(offsets, m.Offset)
	}
	for i, a := range offsets {
		for k, b := range offsets {
			if log.Before(a, b) != (i < k) {
				return fmt.Errorf("Before(%s, %s) is %v for numbers %d and %d", a, b, !(i < k), i, k)
			}
		}
	}
	return nil
}

func checkUnknownOffset(ctx context.Context, c *cluster) error {
	log, err := c.members[0].log()
	if err != nil {
		return err
	}
	m := event("m", to("room"))
	if err := c.members[0].publish(ctx, m); err != nil {
		return err
	}
	unknown := []belfry.Offset{"", "0", "-", "nonsense", m.Offset + "0", "x" + m.Offset}
	if c.Foreign != "" {
		unknown = append(unknown, c.Foreign)
	}
	for _, offset := range unknown {
		if err := refused(ctx, log, offset); err != nil {
			return err
		}
	}
	return nil
}

// refused wants ErrNoOffset, and no call of f.
func refused(ctx context.Context, log belfry.Log, offset belfry.Offset) error {
	got, err := replay(ctx, log, offset)
	if !errors.Is(err, belfry.ErrNoOffset) {
		return fmt.Errorf("replay after offset %q: %v, want ErrNoOffset", offset, err)
	}
	if len(got) > 0 {
		return fmt.Errorf("replay after offset %q gave %d messages, then ErrNoOffset", offset, len(got))
	}
	return nil
}

func checkTrimmedOffset(ctx context.Context, c *cluster) error {
	log, err := c.members[0].log()
	if err != nil {
		return err
	}
	var old []belfry.Offset
	for i := range 3 {
		m := event(fmt.Sprint("old", i), to("room"))
		if err := c.members[0].publish(ctx, m); err != nil {
			return err
		}
		old = append(old, m.Offset)
	}
	if err := c.Trim(ctx); err != nil {
		return fmt.Errorf("trim: %w", err)
	}
	at, err := log.Position(ctx)
	if err != nil {
		return err
	}
	m := event("new", to("room"))
	if err := c.members[0].publish(ctx, m); err != nil {
		return err
	}
	for _, offset := range slices.Backward(old[:2]) { // after the third may be nothing lost
		if err := refused(ctx, log, offset); err != nil {
			return err
		}
	}
	got, err := replay(ctx, log, at)
	if err != nil {
		return fmt.Errorf("replay of what came after the trim: %w", err)
	}
	return sameSequence([]string{"new"}, idsOf(got))
}
