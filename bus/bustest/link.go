package bustest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
)

func linkChecks() []check {
	return []check{
		{
			name:   "peers are the attached nodes",
			clause: "Peers returns the nodes that are alive, this one included",
			nodes:  3, run: checkPeers,
		},
		{
			name:   "a closed link says so",
			clause: "ErrClosed: the link was closed",
			nodes:  2, run: checkErrClosed,
		},
		{
			name:   "nothing comes after close",
			clause: "No call of Node runs or begins after Close returned",
			nodes:  2, run: checkNothingAfterClose,
		},
		{
			name:   "close waits for what runs",
			clause: "No call of Node runs or begins after Close returned",
			nodes:  2, run: checkCloseWaits,
		},
		{
			name:   "nodes come and go under fire",
			clause: "from the return of Attach until Link.Close every message that is published reaches n",
			nodes:  2, run: checkComeAndGo,
		},
		{
			name:   "publish ends with its context",
			clause: "Publish blocks no longer than ctx",
			nodes:  2, run: checkPublishContext,
		},
	}
}

func checkPeers(ctx context.Context, c *cluster) error {
	all := []belfry.NodeID{c.members[0].id, c.members[1].id, c.members[2].id}
	for _, m := range c.members {
		if err := m.awaitPeers(ctx, all); err != nil {
			return err
		}
	}
	if err := c.members[1].close(ctx); err != nil {
		return err
	}
	left := []belfry.NodeID{all[0], all[2]}
	for _, i := range []int{0, 2} {
		if err := c.members[i].awaitPeers(ctx, left); err != nil {
			return fmt.Errorf("after a close: %w", err)
		}
	}
	return nil
}

// peersTime is how long a bus may take to notice who has come or gone orderly.
const peersTime = 5 * time.Second

func (m *member) awaitPeers(ctx context.Context, want []belfry.NodeID) error {
	deadline := time.Now().Add(peersTime)
	for {
		got, err := m.link.Peers(ctx)
		if err != nil {
			return fmt.Errorf("node %s: peers: %w", m.id, err)
		}
		if !slices.Contains(got, m.id) {
			return fmt.Errorf("node %s: peers %v do not include itself", m.id, got)
		}
		slices.Sort(got)
		if slices.Equal(got, want) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("node %s: peers %v, want %v", m.id, got, want)
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

// pause is for asking again what gives no notice of its change.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func checkErrClosed(ctx context.Context, c *cluster) error {
	m, other := c.members[0], c.members[1]
	if err := m.close(ctx); err != nil {
		return err
	}
	_, peersErr := m.link.Peers(ctx)
	calls := map[string]error{
		"Publish": m.link.Publish(ctx, event("after close", to("room"))),
		"Reply":   m.link.Reply(ctx, other.id, &belfry.Reply{Request: 1, From: m.id}),
		"Peers":   peersErr,
	}
	for name, err := range calls {
		if !errors.Is(err, belfry.ErrClosed) {
			return fmt.Errorf("%s of a closed link: %v, want ErrClosed", name, err)
		}
	}
	if err := other.publish(ctx, event("still there", to("room"))); err != nil {
		return err
	}
	if other.count("after close") > 0 {
		return errors.New("a message was delivered whose Publish said ErrClosed")
	}
	return nil
}

// checkNothingAfterClose leaves the looking to the recorder of the closed node.
func checkNothingAfterClose(ctx context.Context, c *cluster) error {
	if err := c.members[1].publish(ctx, event("before", to("room"))); err != nil {
		return err
	}
	if err := c.members[0].await(ctx, "before"); err != nil {
		return err
	}
	if err := c.members[0].close(ctx); err != nil {
		return err
	}
	for i := range 20 {
		if err := c.members[1].publish(ctx, event(fmt.Sprint("after", i), to("room"))); err != nil {
			return err
		}
	}
	// Whatever would still come to the closed node comes to a new one, too.
	late, err := c.attach(ctx)
	if err != nil {
		return err
	}
	if err := c.members[1].publish(ctx, event("end", to("room"))); err != nil {
		return err
	}
	return late.await(ctx, "end")
}

// checkCloseWaits closes a link while a Deliver of its node cannot end.
func checkCloseWaits(ctx context.Context, c *cluster) error {
	m := c.members[0]
	entered, release := make(chan struct{}), make(chan struct{})
	m.during(func(*belfry.Message) { close(entered); <-release })
	var published error
	var wg sync.WaitGroup
	defer wg.Wait()
	free := sync.OnceFunc(func() { close(release) })
	defer free()
	wg.Go(func() { published = c.members[1].link.Publish(ctx, event("slow", to("room"))) })
	select {
	case <-entered:
	case <-ctx.Done():
		return errors.New("the message did not come")
	}
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if err := m.link.Close(short); err == nil {
		return errors.New("Close returned nil while Deliver was running")
	}
	free()
	wg.Wait()
	if err := m.close(ctx); err != nil {
		return fmt.Errorf("second Close: %w", err)
	}
	return published
}
