package bustest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

func idChecks() []check {
	clause := "of several messages of a namespace with one ID the first is published, the others are ErrDuplicate"
	return []check{
		{
			name:   "a message with an id is published once",
			clause: clause,
			nodes:  2, run: checkIDOnce,
		},
		{
			name:   "of those who publish one id at a time one is first",
			clause: clause,
			nodes:  3, run: checkIDRace,
		},
		{
			name:   "ids of namespaces are apart",
			clause: clause,
			nodes:  2, run: checkIDNamespaces,
		},
		{
			name:   "to repeat a message with an id is safe after every error",
			clause: "To repeat a message with an ID is safe after every error",
			nodes:  2, run: checkIDRepeated,
		},
		{
			name:   "an id that is too long is refused",
			clause: "ID: at most MaxID bytes",
			nodes:  1, run: checkIDLength,
		},
	}
}

// kinds are messages of every way in which a bus may carry them.
func kinds(id string) []*belfry.Message {
	logged, unlogged, volatile := event(id, to("room")), event(id, to("room")), event(id, to("room"))
	everyone, several, one, server := event(id, to()), event(id, to("room", "other")), event(id, to("room")), event(id, to())
	unlogged.Unlogged, volatile.Volatile, one.To, server.Kind = true, true, "node1", belfry.ServerSideEmit
	return []*belfry.Message{logged, unlogged, volatile, everyone, several, one, server}
}

func checkIDOnce(ctx context.Context, c *cluster) error {
	for i, first := range kinds("once") {
		id := fmt.Sprint("m", i)
		again := []*belfry.Message{kinds("again")[i], kinds("again")[i]}
		first.ID, again[0].ID, again[1].ID = id, id, id
		if err := c.members[0].link.Publish(ctx, first); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
		for j, m := range again {
			err := c.members[j].link.Publish(ctx, m)
			if !errors.Is(err, belfry.ErrDuplicate) {
				return fmt.Errorf("message %d again, on node %d: %w, want ErrDuplicate", i, j, err)
			}
			if m.Offset != first.Offset {
				return fmt.Errorf("message %d again: it has the offset %q, want that of the first, %q", i, m.Offset, first.Offset)
			}
		}
	}
	if _, err := c.everywhere(ctx, to(), to("room")); err != nil {
		return err
	}
	for i, want := range []int{len(kinds("")) - 1, len(kinds(""))} {
		if once, again := c.members[i].count("once"), c.members[i].count("again"); once != want || again != 0 {
			return fmt.Errorf("node %d got %d messages, want %d, and %d duplicates", i, once, want, again)
		}
	}
	return nil
}

// raced is how many ids several publish at the same time.
const raced = 60

func checkIDRace(ctx context.Context, c *cluster) error {
	for i := range raced {
		if err := c.race(ctx, fmt.Sprint("raced", i)); err != nil {
			return err
		}
	}
	if _, err := c.everywhere(ctx, to("a"), to("b")); err != nil {
		return err
	}
	return c.once(raced, "raced")
}

// race lets all nodes publish one id, each twice, to different rooms.
func (c *cluster) race(ctx context.Context, id string) error {
	messages, errs := make([]*belfry.Message, 2*len(c.members)), make([]error, 2*len(c.members))
	var publishers sync.WaitGroup
	for i := range messages {
		messages[i] = event(id, to([]belfry.Room{"a", "b"}[i%2]))
		messages[i].ID = id
		publishers.Go(func() { errs[i] = c.members[i/2].link.Publish(ctx, messages[i]) })
	}
	publishers.Wait()
	accepted := 0
	for _, err := range errs {
		switch {
		case err == nil:
			accepted++
		case !errors.Is(err, belfry.ErrDuplicate):
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	if accepted != 1 {
		return fmt.Errorf("%s was accepted of %d publishers, want one", id, accepted)
	}
	for _, m := range messages {
		if m.Offset != messages[0].Offset {
			return fmt.Errorf("%s has the offsets %q and %q", id, messages[0].Offset, m.Offset)
		}
	}
	return nil
}

// once checks that all nodes have got n messages, each once.
func (c *cluster) once(n int, name string) error {
	for _, m := range c.members {
		for i := range n {
			if got := m.count(fmt.Sprint(name, i)); got != 1 {
				return fmt.Errorf("node %s got %s%d %d times", m.id, name, i, got)
			}
		}
	}
	return nil
}

func checkIDNamespaces(ctx context.Context, c *cluster) error {
	names := [][2]string{{"/a", "b"}, {"/a", "#b"}, {"/a#", "b"}, {"/a%23", "b"}, {"/a%", "23b"}, {"/", "b"}, {"/", "a b"}, {"/a", "/b"}}
	for i, name := range names {
		m := event(fmt.Sprint("m", i), to("room"))
		m.Namespace, m.ID = name[0], name[1]
		if err := c.members[i%2].publish(ctx, m); err != nil {
			return fmt.Errorf("id %q of namespace %q: %w", name[1], name[0], err)
		}
	}
	for i := range 3 {
		if err := c.members[0].publish(ctx, event(fmt.Sprint("none", i), to("room"))); err != nil {
			return fmt.Errorf("without an id: %w", err)
		}
	}
	return nil
}

// repeated is how many messages are given up and published again.
const repeated = 150

// checkIDRepeated gives publishes up at any moment, and repeats them on the same or
// the other node until they are done.
func checkIDRepeated(ctx context.Context, c *cluster) error {
	for i := range repeated {
		if err := c.repeat(ctx, i); err != nil {
			return err
		}
	}
	if _, err := c.everywhere(ctx, to("room")); err != nil {
		return err
	}
	return c.once(repeated, "repeated")
}

func (c *cluster) repeat(ctx context.Context, i int) error {
	id := fmt.Sprint("repeated", i)
	patience := time.Duration(i%10) * 100 * time.Microsecond
	for try := range 1000 {
		m := event(id, to("room"))
		m.ID, m.Unlogged = id, i%3 == 0
		short, cancel := context.WithTimeout(ctx, patience)
		err := c.members[(i+try)%2].link.Publish(short, m)
		cancel()
		if err == nil || errors.Is(err, belfry.ErrDuplicate) {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		patience += 100 * time.Microsecond
	}
	return fmt.Errorf("%s is never done", id)
}

func checkIDLength(ctx context.Context, c *cluster) error {
	for _, n := range []int{belfry.MaxID, belfry.MaxID + 1} {
		m := event(fmt.Sprint("m", n), to("room"))
		m.ID = strings.Repeat("x", n)
		err := c.members[0].link.Publish(ctx, m)
		if fits := n <= belfry.MaxID; fits != (err == nil) || errors.Is(err, belfry.ErrDuplicate) || errors.Is(err, belfry.ErrUnavailable) {
			return fmt.Errorf("an id of %d bytes: %v", n, err)
		}
		if got := c.members[0].count(fmt.Sprint("m", n)); got > 1 || got == 1 && n > belfry.MaxID {
			return fmt.Errorf("a message with an id of %d bytes came %d times", n, got)
		}
	}
	return nil
}
