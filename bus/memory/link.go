package memory

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/seed-09a96375/belfry"
)

// link implements belfry.Link.
type link struct {
	bus  *Bus
	node belfry.Node
	id   belfry.NodeID
	// single is what the node gets a message of its own by, that is not of a batch.
	single outlet
	gate   gate // passed by calls of the node, and by its calls of Publish
}

func newLink(b *Bus, n belfry.Node) *link {
	return &link{bus: b, node: n, id: n.ID(), single: single{n}, gate: gate{empty: make(chan struct{})}}
}

// Publish implements belfry.Link. It delivers to all nodes before it returns.
// The only errors are belfry.ErrClosed, belfry.ErrDuplicate, that of ctx, and that of
// an ID that is too long, and after any no node has got the message.
func (l *link) Publish(ctx context.Context, m *belfry.Message) error {
	return l.publish(ctx, m, l.single)
}

func (l *link) publish(ctx context.Context, m *belfry.Message, own outlet) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(m.ID) > belfry.MaxID {
		return fmt.Errorf("memory: publish: Message.ID has %d bytes, at most %d are allowed", len(m.ID), belfry.MaxID)
	}
	if !l.gate.enter() {
		return belfry.ErrClosed
	}
	defer l.gate.leave()
	return l.bus.publish(ctx, l, m, own)
}

// Reply implements belfry.Link. It sets r.From.
func (l *link) Reply(ctx context.Context, to belfry.NodeID, r *belfry.Reply) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	r.From = l.id
	if asker := l.bus.find(to); asker != nil {
		asker.replied(r)
	}
	return nil
}

// Peers implements belfry.Link. The nodes come in the order in which they were
// attached.
func (l *link) Peers(ctx context.Context) ([]belfry.NodeID, error) {
	if err := l.usable(ctx); err != nil {
		return nil, err
	}
	links := *l.bus.links.Load()
	ids := make([]belfry.NodeID, len(links))
	for i, x := range links {
		ids[i] = x.id
	}
	return ids, nil
}

// Announce implements belfry.Directory.
func (l *link) Announce(ctx context.Context, url string) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	l.bus.addresses.Store(l.id, url)
	return nil
}

// Addresses implements belfry.Directory.
func (l *link) Addresses(ctx context.Context) (map[belfry.NodeID]string, error) {
	if err := l.usable(ctx); err != nil {
		return nil, err
	}
	all := make(map[belfry.NodeID]string)
	for _, x := range *l.bus.links.Load() {
		if url, ok := l.bus.addresses.Load(x.id); ok {
			all[x.id] = url.(string)
		}
	}
	return all, nil
}

// Close implements belfry.Link. If ctx ends before the running calls of the
// node do, no further ones begin nonetheless. Closing again waits again.
func (l *link) Close(ctx context.Context) error {
	l.bus.detach(l)
	l.bus.addresses.Delete(l.id)
	l.bus.presence.abandon(l.id)
	l.gate.close()
	select {
	case <-l.gate.empty:
		return nil
	default:
	}
	select {
	case <-l.gate.empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *link) usable(ctx context.Context) error {
	if l.gate.closed() {
		return belfry.ErrClosed
	}
	return ctx.Err()
}

func (l *link) deliver(m *belfry.Message) {
	if l.gate.enter() {
		defer l.gate.leave()
		l.node.Deliver(m)
	}
}

func (l *link) replied(r *belfry.Reply) {
	if l.gate.enter() {
		defer l.gate.leave()
		l.node.Replied(r)
	}
}

// gate counts who is inside and, once closed, lets nobody in. It tells when the
// last has left.
type gate struct {
	inside atomic.Int64  // plus gateClosed once closed
	empty  chan struct{} // closed when closed and nobody is inside
	shut   sync.Once
	done   sync.Once
}

const gateClosed = 1 << 62

// enter reports whether the caller is in; it leaves only then.
func (g *gate) enter() bool {
	if g.inside.Add(1) < gateClosed {
		return true
	}
	g.leave()
	return false
}

func (g *gate) leave() {
	if g.inside.Add(-1) == gateClosed {
		g.done.Do(func() { close(g.empty) })
	}
}

func (g *gate) close() {
	g.shut.Do(func() {
		g.inside.Add(gateClosed + 1)
		g.leave()
	})
}

func (g *gate) closed() bool { return g.inside.Load() >= gateClosed }
