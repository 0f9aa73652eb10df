package bustest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/seed-09a96375/belfry"
)

func addressChecks() []check {
	return []check{
		{
			name:   "a message for one node reaches it alone",
			clause: "Message.To is the only node that gets the message",
			nodes:  3, run: checkTo,
		},
		{
			name:   "a message for one node is not logged",
			clause: "Message.To: such a message is never logged",
			nodes:  2, keeps: true, run: checkToLog,
		},
		{
			name:   "nodes know each other's addresses",
			clause: "Addresses returns the URLs that the nodes that are alive have announced",
			nodes:  3, addresses: true, run: checkAddresses,
		},
	}
}

// forNode is a message for one node.
func forNode(id string, node belfry.NodeID) *belfry.Message {
	m := event(id, to("room"))
	m.To = node
	return m
}

func checkTo(ctx context.Context, c *cluster) error {
	m, last := c.members[0], c.members[2].id
	for _, msg := range []*belfry.Message{forNode("for the last", last), forNode("for nobody", "no such node")} {
		if err := m.link.Publish(ctx, msg); err != nil {
			return fmt.Errorf("publish for node %s: %w", msg.To, err)
		}
	}
	if err := m.publish(ctx, forNode("for itself", m.id)); err != nil {
		return err
	}
	if _, err := c.everywhere(ctx, to("room")); err != nil {
		return err
	}
	// The order with what goes to all is not promised.
	soon, cancel := context.WithTimeout(ctx, 3*peersTime)
	defer cancel()
	if err := c.members[2].await(soon, "for the last"); err != nil {
		return err
	}
	want := map[string]belfry.NodeID{"for the last": last, "for itself": m.id, "for nobody": ""}
	for _, node := range c.members {
		for id, owner := range want {
			if n := node.count(id); n > 1 || (n == 1) != (node.id == owner) {
				return fmt.Errorf("node %s got %q %d times", node.id, id, n)
			}
		}
	}
	return nil
}

func checkToLog(ctx context.Context, c *cluster) error {
	log, err := c.members[0].log()
	if err != nil {
		return err
	}
	begin, err := log.Position(ctx)
	if err != nil {
		return err
	}
	m := forNode("for itself", c.members[0].id)
	if err := c.members[0].publish(ctx, m); err != nil {
		return err
	}
	if m.Offset != "" {
		return fmt.Errorf("it has the offset %q", m.Offset)
	}
	return log.Replay(ctx, namespace, begin, func(m *belfry.Message) error {
		return fmt.Errorf("%s is replayed", idOf(m))
	})
}

func checkAddresses(ctx context.Context, c *cluster) error {
	want := map[belfry.NodeID]string{}
	for i, url := range []string{"http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3"} {
		d, ok := c.members[i%2].link.(belfry.Directory)
		if !ok {
			return errors.New("the link does not implement belfry.Directory")
		}
		if err := d.Announce(ctx, url); err != nil {
			return fmt.Errorf("announce: %w", err)
		}
		want[c.members[i%2].id] = url // the third replaces the first
	}
	for _, m := range c.members {
		if err := m.awaitAddresses(ctx, want); err != nil {
			return err
		}
	}
	if err := c.members[1].close(ctx); err != nil {
		return err
	}
	delete(want, c.members[1].id)
	if err := c.members[2].awaitAddresses(ctx, want); err != nil {
		return fmt.Errorf("after a close: %w", err)
	}
	return nil
}

func (m *member) awaitAddresses(ctx context.Context, want map[belfry.NodeID]string) error {
	d, ok := m.link.(belfry.Directory)
	if !ok {
		return errors.New("the link does not implement belfry.Directory")
	}
	for deadline := time.Now().Add(peersTime); ; {
		got, err := d.Addresses(ctx)
		if err != nil {
			return fmt.Errorf("node %s: addresses: %w", m.id, err)
		}
		if maps.Equal(got, want) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("node %s: addresses %v, want %v", m.id, got, want)
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}
