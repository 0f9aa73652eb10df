package bustest

import (
	"context"
	"fmt"
	"slices"

	"github.com/seed-09a96375/belfry"
)

func orderChecks() []check {
	return []check{
		{
			name:   "the order of a room is the same on all nodes",
			clause: "Messages with a room in common arrive in the same order on all nodes",
			nodes:  3, run: checkRoomOrder,
		},
		{
			name:   "deliveries of a room do not overlap",
			clause: "Messages with a room in common arrive one after the other",
			nodes:  2, run: checkNoOverlap,
		},
		{
			name:   "logged messages arrive in the order of the log",
			clause: "all logged messages arrive one after the other, in the order of the log",
			nodes:  3, keeps: true, run: checkLogOrder,
		},
	}
}

func checkRoomOrder(ctx context.Context, c *cluster) error {
	if _, err := c.traffic(ctx, 100); err != nil {
		return err
	}
	first := byOrder(c.members[0].trace())
	for _, m := range c.members[1:] {
		other := byOrder(m.trace())
		for _, key := range sortedKeys(first) {
			if err := sameSequence(first[key], other[key]); err != nil {
				return fmt.Errorf("%q: nodes %s and %s: %w", key, c.members[0].id, m.id, err)
			}
		}
	}
	return nil
}

// byOrder splits a trace into what each room, and the namespace, got.
func byOrder(trace []*belfry.Message) map[string][]string {
	sequences := map[string][]string{}
	for _, m := range trace {
		keys := orders(m)
		slices.Sort(keys)
		for _, key := range slices.Compact(keys) {
			sequences[key] = append(sequences[key], idOf(m))
		}
	}
	return sequences
}

func sameSequence(a, b []string) error {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Errorf("message %d is %s on one and %s on the other", i, a[i], b[i])
		}
	}
	if len(a) != len(b) {
		return fmt.Errorf("%d messages on one and %d on the other", len(a), len(b))
	}
	return nil
}

// checkNoOverlap leaves the looking to the recorders.
func checkNoOverlap(ctx context.Context, c *cluster) error {
	_, err := c.traffic(ctx, 200)
	return err
}

func checkLogOrder(ctx context.Context, c *cluster) error {
	if _, err := c.traffic(ctx, 100); err != nil {
		return err
	}
	first := withOffset(c.members[0].trace())
	if len(first) == 0 {
		return fmt.Errorf("nothing was logged")
	}
	for _, m := range c.members {
		log, err := m.log()
		if err != nil {
			return err
		}
		trace := withOffset(m.trace())
		if err := sameSequence(idsOf(first), idsOf(trace)); err != nil {
			return fmt.Errorf("logged, on nodes %s and %s: %w", c.members[0].id, m.id, err)
		}
		for i := range trace[1:] {
			a, b := trace[i], trace[i+1]
			if !log.Before(a.Offset, b.Offset) || log.Before(b.Offset, a.Offset) {
				return fmt.Errorf("node %s: %s at %s is followed by %s at %s", m.id, idOf(a), a.Offset, idOf(b), b.Offset)
			}
		}
	}
	return nil
}

func withOffset(trace []*belfry.Message) []*belfry.Message {
	return slices.DeleteFunc(trace, func(m *belfry.Message) bool { return m.Offset == "" })
}
