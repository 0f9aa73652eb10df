package bustest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// comers is how many nodes come and go at a time in checkComeAndGo, and how
// often.
const (
	comers    = 3
	comeTimes = 8
)

func checkComeAndGo(ctx context.Context, c *cluster) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	guns := []*gun{{node: c.members[0]}, {node: c.members[1]}}
	var stop atomic.Bool
	var firing, coming sync.WaitGroup
	errs := make([]error, len(guns)+comers)
	for i, g := range guns {
		firing.Go(func() {
			if errs[i] = g.fire(ctx, &stop); errs[i] != nil {
				cancel() // nothing will come any more
			}
		})
	}
	for i := range comers {
		coming.Go(func() {
			for range comeTimes {
				if err := c.comeAndGo(ctx, guns); err != nil {
					errs[len(guns)+i] = err
					return
				}
			}
		})
	}
	coming.Wait()
	stop.Store(true)
	firing.Wait()
	return errors.Join(errs...)
}

// gun publishes numbered messages all the time: a few at once, then a breath, so
// that a slow reader does not lose the log under its feet.
type gun struct {
	node  *member
	begun atomic.Int64 // the number of the last message whose Publish has begun
}

func (g *gun) fire(ctx context.Context, stop *atomic.Bool) error {
	for n := int64(1); !stop.Load(); n++ {
		g.begun.Store(n)
		if err := g.node.publish(ctx, event(g.shot(n), to("fire"))); err != nil {
			return err
		}
		if n%5 != 0 {
			continue
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func (g *gun) shot(n int64) string { return fmt.Sprintf("%s.%d", g.node.id, n) }

// comeAndGo attaches a node, lets it hear some shots of each gun and closes. It
// must have heard all from the first that was fired after Attach returned.
func (c *cluster) comeAndGo(ctx context.Context, guns []*gun) error {
	m, err := c.attach(ctx)
	if err != nil {
		return err
	}
	due := make([]int64, len(guns))
	for i, g := range guns {
		due[i] = g.begun.Load() + 1
	}
	for i, g := range guns {
		if err := m.await(ctx, g.shot(due[i]+3)); err != nil {
			return err
		}
	}
	if err := m.close(ctx); err != nil {
		return err
	}
	for i, g := range guns {
		if err := m.heard(g, due[i]); err != nil {
			return err
		}
	}
	return nil
}

// heard checks that the shots of g came once and without a gap, up to the last,
// and at the latest from due on.
func (r *recorder) heard(g *gun, due int64) error {
	var next int64
	for _, id := range idsOf(r.trace()) {
		var n int64
		if _, err := fmt.Sscanf(id, string(g.node.id)+".%d", &n); err != nil {
			continue // of the other gun
		}
		switch {
		case next == 0 && n > due:
			return fmt.Errorf("node %s heard %s first, after Attach had returned before %d", r.id, id, due)
		case next != 0 && n != next:
			return fmt.Errorf("node %s heard %s, want number %d", r.id, id, next)
		}
		next = n + 1
	}
	return nil
}
