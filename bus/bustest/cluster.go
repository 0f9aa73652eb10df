package bustest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/seed-09a96375/belfry"
)

// cluster is the nodes that a check has attached.
type cluster struct {
	Factory

	mu      sync.Mutex
	members []*member
}

// member is a node and its link.
type member struct {
	*recorder
	link belfry.Link
}

// start attaches the first n nodes.
func start(ctx context.Context, f Factory, n int) (*cluster, error) {
	c := &cluster{Factory: f}
	for range n {
		if _, err := c.attach(ctx); err != nil {
			return nil, errors.Join(err, c.close(ctx))
		}
	}
	return c, nil
}

// attach adds one more node. It is in c.members from then on.
func (c *cluster) attach(ctx context.Context) (*member, error) {
	c.mu.Lock()
	i := len(c.members)
	m := &member{recorder: newRecorder(belfry.NodeID(fmt.Sprint("node", i)))}
	c.members = append(c.members, m)
	c.mu.Unlock()
	link, err := c.Bus(i).Attach(ctx, m.recorder)
	if err != nil {
		return nil, fmt.Errorf("attach node %s: %w", m.id, err)
	}
	m.link = link
	return m, nil
}

// close closes all links that are open.
func (c *cluster) close(ctx context.Context) error {
	for _, m := range c.members {
		if err := m.close(ctx); err != nil {
			return fmt.Errorf("close node %s: %w", m.id, err)
		}
	}
	return nil
}

// close leaves the cluster; whatever the recorder hears from then on is a fault.
func (m *member) close(ctx context.Context) error {
	if m.link == nil || m.isClosed() {
		return nil
	}
	if err := m.link.Close(ctx); err != nil {
		return err
	}
	m.markClosed()
	return nil
}

// publish publishes and checks what Publish promises about this node.
func (m *member) publish(ctx context.Context, msg *belfry.Message) error {
	id := idOf(msg)
	if err := m.link.Publish(ctx, msg); err != nil {
		return fmt.Errorf("node %s publishes %s: %w", m.id, id, err)
	}
	if m.count(id) == 0 {
		return fmt.Errorf("node %s: Publish of %s returned before its own Deliver", m.id, id)
	}
	return nil
}

// log and sessions return the powers of the link.
func (m *member) log() (belfry.Log, error) {
	if l, ok := m.link.(belfry.Log); ok {
		return l, nil
	}
	return nil, errors.New("the link does not implement belfry.Log")
}

func (m *member) sessions() (belfry.Sessions, error) {
	if s, ok := m.link.(belfry.Sessions); ok {
		return s, nil
	}
	return nil, errors.New("the link does not implement belfry.Sessions")
}

// everywhere publishes a last message to each of the targets and waits until it
// has come to all nodes: by the order of rooms, all that was published to them
// before has come, too. It returns the ids of those messages.
func (c *cluster) everywhere(ctx context.Context, targets ...belfry.Target) (ids []string, err error) {
	for i, t := range targets {
		m := event(fmt.Sprint("last", i), t)
		m.Unlogged = true
		ids = append(ids, idOf(m))
		if err := c.members[0].publish(ctx, m); err != nil {
			return ids, err
		}
		for _, node := range c.members {
			if node.isClosed() {
				continue
			}
			if err := node.await(ctx, idOf(m)); err != nil {
				return ids, err
			}
		}
	}
	return ids, nil
}
