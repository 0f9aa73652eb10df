package bustest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/seed-09a96375/belfry"
)

func batchChecks() []check {
	return []check{
		{
			name:   "a batch comes in its order",
			clause: "nodes get them one after the other, in this order",
			nodes:  3, batches: true, run: checkBatchOrder,
		},
		{
			name:   "what was accepted before is accepted",
			clause: "how many of them are accepted, now or, as ErrDuplicate says, before",
			nodes:  2, batches: true, run: checkBatchAgain,
		},
		{
			name:   "a batch ends where it fails",
			clause: "it returns the error of Publish for the next",
			nodes:  1, batches: true, run: checkBatchEnds,
		},
	}
}

func (m *member) publishAll(ctx context.Context, messages []*belfry.Message) (int, error) {
	b, ok := m.link.(belfry.Batcher)
	if !ok {
		return 0, errors.New("the link does not implement belfry.Batcher")
	}
	return b.PublishAll(ctx, messages)
}

// batchSize is more than a bus takes in one step.
const batchSize = 700

// batchOf is messages to several rooms in turn; some are not logged.
func batchOf(name string, n int) []*belfry.Message {
	all := make([]*belfry.Message, n)
	for i := range all {
		all[i] = event(fmt.Sprint(name, ".", i), to(trafficRooms[i%3]))
		all[i].Unlogged = i%50 == 0
	}
	return all
}

// checkBatchOrder publishes batches on two nodes, beside others: each is in its order
// in every room, and, as far as it is logged, as a whole.
func checkBatchOrder(ctx context.Context, c *cluster) error {
	var publishers sync.WaitGroup
	errs := make([]error, 3)
	for i := range 2 {
		publishers.Go(func() { errs[i] = c.members[i].publishBatch(ctx, fmt.Sprint("batch", i)) })
	}
	publishers.Go(func() {
		for i := range 50 {
			errs[2] = errors.Join(errs[2], c.members[i%3].publish(ctx, event(fmt.Sprint("single", i), to("b"))))
		}
	})
	publishers.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if _, err := c.everywhere(ctx, to("a"), to("b"), to("c")); err != nil {
		return err
	}
	for _, m := range c.members {
		for i := range 2 {
			if err := m.inOrder(fmt.Sprint("batch", i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *member) publishBatch(ctx context.Context, name string) error {
	all := batchOf(name, batchSize)
	if n, err := m.publishAll(ctx, all); err != nil || n != len(all) {
		return fmt.Errorf("node %s: PublishAll of %d messages returned %d, %w", m.id, len(all), n, err)
	}
	for _, msg := range all {
		if m.count(idOf(msg)) != 1 {
			return fmt.Errorf("node %s: PublishAll returned, and its own Deliver of %s has run %d times", m.id, idOf(msg), m.count(idOf(msg)))
		}
	}
	return nil
}

// inOrder compares what came of a batch with what was published.
func (m *member) inOrder(name string) error {
	var got []*belfry.Message
	for _, msg := range m.trace() {
		if strings.HasPrefix(idOf(msg), name+".") {
			got = append(got, msg)
		}
	}
	want := batchOf(name, batchSize)
	if len(got) != len(want) {
		return fmt.Errorf("node %s got %d messages of %s, want %d", m.id, len(got), name, len(want))
	}
	for _, room := range trafficRooms[:3] {
		if err := sameSequence(idsOf(of(want, room)), idsOf(of(got, room))); err != nil {
			return fmt.Errorf("node %s, room %s: %w", m.id, room, err)
		}
	}
	logged := withOffset(got)
	if len(logged) == 0 {
		return nil
	}
	want = slices.DeleteFunc(want, func(msg *belfry.Message) bool { return msg.Unlogged })
	if err := sameSequence(idsOf(want), idsOf(logged)); err != nil {
		return fmt.Errorf("node %s: %w", m.id, err)
	}
	return nil
}

func of(all []*belfry.Message, room belfry.Room) []*belfry.Message {
	return slices.DeleteFunc(slices.Clone(all), func(m *belfry.Message) bool { return m.Target.Rooms[0] != room })
}

// checkBatchAgain publishes a batch of which every third message is there already.
func checkBatchAgain(ctx context.Context, c *cluster) error {
	named := func() []*belfry.Message {
		all := batchOf("named", batchSize)
		for i, m := range all {
			m.ID = fmt.Sprint("id", i)
		}
		return all
	}
	for i, m := range named() {
		if i%3 == 0 {
			if err := c.members[i%2].publish(ctx, m); err != nil {
				return err
			}
		}
	}
	for range 2 {
		if n, err := c.members[0].publishAll(ctx, named()); err != nil || n != batchSize {
			return fmt.Errorf("PublishAll returned %d, %w, want all of %d", n, err, batchSize)
		}
	}
	if _, err := c.everywhere(ctx, to("a"), to("b"), to("c")); err != nil {
		return err
	}
	return c.once(batchSize, "named.")
}

// checkBatchEnds publishes a batch with a message that cannot be.
func checkBatchEnds(ctx context.Context, c *cluster) error {
	all := batchOf("ends", 20)
	all[7].ID = strings.Repeat("x", belfry.MaxID+1)
	n, err := c.members[0].publishAll(ctx, all)
	if err == nil || n != 7 {
		return fmt.Errorf("PublishAll returned %d, %v, want 7 and an error", n, err)
	}
	for i, m := range all[:8] {
		if got := c.members[0].count(idOf(m)); (got == 1) != (i < 7) {
			return fmt.Errorf("message %d came %d times", i, got)
		}
	}
	return nil
}
