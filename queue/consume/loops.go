package consume

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// readWait is how long a Read waits: it is not cut short when the consumer
	// stops, since what it took meanwhile would have to be reclaimed.
	readWait = 200 * time.Millisecond
	// troubleFirst and troubleLongest bound the pause after an error of the store.
	troubleFirst   = 50 * time.Millisecond
	troubleLongest = 2 * time.Second
)

// trouble paces tries with a store that fails.
type trouble struct{ pause time.Duration }

func (t *trouble) over() { t.pause = 0 }

// next is the time until the next try: doubled each time, and never twice the
// same, so that consumers do not come back all at once.
func (t *trouble) next() time.Duration {
	t.pause = min(max(2*t.pause, troubleFirst), troubleLongest)
	return spread(t.pause)
}

// spread returns between half of d and d.
func spread(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1) //nolint:gosec // guards nothing
}

// read takes new entries as there are places for them. What this consumer has
// without knowing of it comes first, and never at the same time: an entry that came
// both ways could be handled twice.
func (c *consumer) read(ctx context.Context) {
	var t trouble
	unsure, first := true, true // it may have lived before
	for ctx.Err() == nil {
		err := c.readOnce(ctx, unsure, first)
		if unsure = err != nil; !unsure {
			first = false
			t.over()
			continue
		}
		c.o.Logger.Warn("queue: read", "err", err)
		Sleep(ctx, t.next())
	}
}

func (c *consumer) readOnce(ctx context.Context, unsure, first bool) error {
	if unsure {
		last := ""
		if err := c.takeAll(ctx, func(ctx context.Context, n int) ([]*Entry, error) {
			return c.mine(ctx, &last, n, first)
		}); err != nil {
			return err
		}
	}
	_, err := c.take(ctx, c.places, func(ctx context.Context, n int) ([]*Entry, error) {
		return c.store.Read(ctx, n, readWait)
	})
	return err
}

// take begins with what fetch returns for the places that are free. It waits for
// one, and returns how many entries there were.
func (c *consumer) take(ctx context.Context, places chan struct{}, fetch func(context.Context, int) ([]*Entry, error)) (int, error) {
	n := await(ctx, places)
	if n == 0 {
		return 0, nil
	}
	// Cut short, a fetch might have taken what nobody then knows of.
	entries, err := fetch(context.WithoutCancel(ctx), n)
	for range n - len(entries) {
		<-places
	}
	for _, e := range entries {
		c.add(e, places)
	}
	return len(entries), err
}

// await takes all places that are free, one at least. It returns 0 if ctx ends.
func await(ctx context.Context, places chan struct{}) int {
	if ctx.Err() != nil {
		return 0
	}
	select {
	case places <- struct{}{}:
	case <-ctx.Done():
		return 0
	}
	for n := 1; ; n++ {
		select {
		case places <- struct{}{}:
		default:
			return n
		}
	}
}

// reclaim takes over what others have left.
func (c *consumer) reclaim(ctx context.Context) {
	var t trouble
	for ctx.Err() == nil {
		pause := spread(c.o.ReclaimAfter / 3)
		err := c.takeAll(ctx, func(ctx context.Context, n int) ([]*Entry, error) {
			return c.store.Reclaim(ctx, n, c.o.ReclaimAfter)
		})
		if err == nil {
			t.over()
		} else {
			c.o.Logger.Warn("queue: take over what other consumers have left", "err", err)
			pause = t.next()
		}
		Sleep(ctx, pause)
	}
}

// takeAll takes until there is nothing more. An entry that is done with between
// fetch and add must not begin anew.
func (c *consumer) takeAll(ctx context.Context, fetch func(context.Context, int) ([]*Entry, error)) error {
	for {
		watched := false
		n, err := c.take(ctx, c.spare, func(ctx context.Context, n int) ([]*Entry, error) {
			watched = true
			c.watchEnds(true)
			return fetch(ctx, n)
		})
		if watched {
			c.watchEnds(false)
		}
		if n == 0 || err != nil {
			return err
		}
	}
}

// watchEnds remembers the entries that end from now on; with false, no longer, if
// nobody else wants them.
func (c *consumer) watchEnds(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !on:
		if c.watching--; c.watching == 0 {
			c.ended = nil
		}
	default:
		if c.watching++; c.ended == nil {
			c.ended = make(map[string]bool)
		}
	}
}

// keep gives signs of life for all that is held.
func (c *consumer) keep(ctx context.Context) {
	for Sleep(ctx, c.o.ReclaimAfter/3) {
		tries := c.tries()
		if len(tries) == 0 {
			continue
		}
		lost, err := c.store.Hold(ctx, tries)
		if err != nil && ctx.Err() == nil {
			c.o.Logger.Warn("queue: keep events", "events", len(tries), "err", err)
		}
		c.lose(lost)
	}
}

func (c *consumer) tries() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[string]int, len(c.held))
	for id, it := range c.held {
		all[id] = it.tries
	}
	return all
}

func (c *consumer) lose(entries []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range entries {
		if it := c.held[id]; it != nil {
			it.cancel(ErrLost)
		}
	}
}
