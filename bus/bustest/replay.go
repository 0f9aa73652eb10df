package bustest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/seed-09a96375/belfry"
)

func replayChecks() []check {
	return []check{
		{
			name:   "replay gives exactly what follows each offset",
			clause: "Replay calls f for every logged message of the namespace after the offset, in log order",
			nodes:  2, keeps: true, run: checkReplayExact,
		},
		{
			name:   "replay ends with the first error of f",
			clause: "Replay calls f …: an error of f ends it and is returned",
			nodes:  1, keeps: true, run: checkReplayError,
		},
		{
			name:   "replay and live messages join without gap or double",
			clause: "Replay goes up to a position that is not before any message delivered to this node before",
			nodes:  2, keeps: true, run: checkReplayMeetsLive,
		},
		{
			name:   "a closed link replays nothing",
			clause: "ErrClosed: the link was closed",
			nodes:  1, keeps: true, run: checkReplayClosed,
		},
	}
}

// checkReplayExact mixes namespaces, and messages that are not logged, into the
// log, then replays from every single offset, on the other node, too.
func checkReplayExact(ctx context.Context, c *cluster) error {
	var logged []*belfry.Message
	for i := range 90 {
		m := event(fmt.Sprint("m", i), to("room"))
		m.Volatile = i%5 == 1
		m.Unlogged = i%5 == 2
		if i%3 == 2 {
			m.Namespace = "/other"
		}
		if err := c.members[i%2].publish(ctx, m); err != nil {
			return err
		}
		if m.Offset != "" {
			logged = append(logged, m)
		}
	}
	for i, m := range logged {
		var want []string
		for _, later := range logged[i+1:] {
			if later.Namespace == namespace {
				want = append(want, idOf(later))
			}
		}
		for _, node := range c.members {
			log, err := node.log()
			if err != nil {
				return err
			}
			got, err := replay(ctx, log, m.Offset)
			if err != nil {
				return fmt.Errorf("node %s: replay after %s: %w", node.id, m.Offset, err)
			}
			if err := sameSequence(want, idsOf(got)); err != nil {
				return fmt.Errorf("published and, on node %s, replayed after %s: %w", node.id, m.Offset, err)
			}
		}
	}
	return nil
}

func checkReplayError(ctx context.Context, c *cluster) error {
	log, err := c.members[0].log()
	if err != nil {
		return err
	}
	begin, err := log.Position(ctx)
	if err != nil {
		return err
	}
	for i := range 3 {
		if err := c.members[0].publish(ctx, event(fmt.Sprint("m", i), to("room"))); err != nil {
			return err
		}
	}
	enough, calls := errors.New("enough"), 0
	err = log.Replay(ctx, namespace, begin, func(*belfry.Message) error {
		calls++
		return enough
	})
	if calls != 1 || !errors.Is(err, enough) {
		return fmt.Errorf("Replay called f %d times and returned %v, want once and %v", calls, err, enough)
	}
	return nil
}

// rounds is how often a client comes back in checkReplayMeetsLive.
const rounds = 15

// checkReplayMeetsLive lets clients come back to new nodes while both old nodes
// publish. What a client is replayed and what it then gets live must be, put
// together, the log.
func checkReplayMeetsLive(ctx context.Context, c *cluster) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var stop atomic.Bool
	var firing sync.WaitGroup
	guns := []*gun{{node: c.members[0]}, {node: c.members[1]}}
	failed := make([]error, len(guns))
	for i, g := range guns {
		firing.Go(func() {
			if failed[i] = g.fire(ctx, &stop); failed[i] != nil {
				cancel()
			}
		})
	}
	err := c.comeBackOften(ctx, guns[0])
	stop.Store(true)
	firing.Wait()
	return errors.Join(append(failed, err)...)
}

func (c *cluster) comeBackOften(ctx context.Context, g *gun) error {
	reference := c.members[0]
	for range rounds {
		if err := reference.await(ctx, g.shot(g.begun.Load()+5)); err != nil {
			return err
		}
		trace := withOffset(reference.trace())
		seen := trace[len(trace)-4] // the last that the client saw before it went away
		back, err := c.comeBack(ctx, g, seen.Offset)
		if err != nil {
			return err
		}
		log := withOffset(reference.trace())
		from := slices.IndexFunc(log, func(m *belfry.Message) bool { return m.Offset == seen.Offset }) + 1
		if err := samePrefix(idsOf(log[from:]), idsOf(back)); err != nil {
			return fmt.Errorf("the log and what a client got after %s: %w", seen.Offset, err)
		}
	}
	return nil
}

// comeBack attaches a node and returns what a client on it gets that has seen
// everything up to the offset.
func (c *cluster) comeBack(ctx context.Context, g *gun, seen belfry.Offset) ([]*belfry.Message, error) {
	m, err := c.attach(ctx)
	if err != nil {
		return nil, err
	}
	log, err := m.log()
	if err != nil {
		return nil, err
	}
	all, err := replay(ctx, log, seen)
	if err != nil {
		return nil, fmt.Errorf("replay after %s: %w", seen, err)
	}
	last := g.shot(g.begun.Load() + 5)
	if err := errors.Join(m.await(ctx, last), c.members[0].await(ctx, last), m.close(ctx)); err != nil {
		return nil, err
	}
	end := seen
	if len(all) > 0 {
		end = all[len(all)-1].Offset
	}
	for _, live := range withOffset(m.trace()) {
		if log.Before(end, live.Offset) {
			all = append(all, live)
		}
		if idOf(live) == last {
			return all, nil // the reference has at least as much
		}
	}
	return all, nil
}

// samePrefix wants got to be the beginning of all.
func samePrefix(all, got []string) error { return sameSequence(all[:min(len(all), len(got))], got) }

func checkReplayClosed(ctx context.Context, c *cluster) error {
	log, err := c.members[0].log()
	if err != nil {
		return err
	}
	at, err := log.Position(ctx)
	if err != nil {
		return err
	}
	if err := c.members[0].close(ctx); err != nil {
		return err
	}
	if _, err := replay(ctx, log, at); !errors.Is(err, belfry.ErrClosed) {
		return fmt.Errorf("Replay of a closed link: %v, want ErrClosed", err)
	}
	if _, err := log.Position(ctx); !errors.Is(err, belfry.ErrClosed) {
		return fmt.Errorf("Position of a closed link: %v, want ErrClosed", err)
	}
	return nil
}
