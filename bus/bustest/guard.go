package bustest

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/seed-09a96375/belfry"
)

// Guard wraps a bus for a test of what stands on it, and reports when a node
// calls its link from within Deliver or Replied: the contract forbids it, and
// some buses would wait for themselves. report may be called from any goroutine.
// The wrapped links implement belfry.Log and belfry.Sessions if those of b do.
func Guard(b belfry.Bus, report func(error)) belfry.Bus { return &guard{bus: b, report: report} }

type guard struct {
	bus    belfry.Bus
	report func(error)
	inside sync.Map // numbers of goroutines that are in a call of a node
}

// Attach implements belfry.Bus.
func (g *guard) Attach(ctx context.Context, n belfry.Node) (belfry.Link, error) {
	link, err := g.bus.Attach(ctx, guardedNode{n, g})
	if err != nil {
		return nil, err
	}
	guarded := guardedLink{link, g}
	if k, ok := link.(keeper); ok {
		return guardedKeeper{guarded, k, k}, nil
	}
	return guarded, nil
}

// keeper is a link of a bus that keeps messages and sessions.
type keeper interface {
	belfry.Link
	belfry.Log
	belfry.Sessions
}

func (g *guard) during(call func()) {
	id := goroutine()
	g.inside.Store(id, true)
	defer g.inside.Delete(id)
	call()
}

func (g *guard) check(method string) {
	if _, inside := g.inside.Load(goroutine()); inside {
		g.report(fmt.Errorf("%s is called from within Deliver or Replied:\n%s", method, debug.Stack()))
	}
}

// goroutine returns what tells this goroutine from others. Only a test may ask.
func goroutine() string {
	buf := make([]byte, 64)
	buf = buf[:runtime.Stack(buf, false)] // "goroutine 123 [running]: …"
	return string(bytes.Fields(buf)[1])
}

type guardedNode struct {
	belfry.Node
	g *guard
}

// Deliver implements belfry.Node.
func (n guardedNode) Deliver(m *belfry.Message) { n.g.during(func() { n.Node.Deliver(m) }) }

// Replied implements belfry.Node.
func (n guardedNode) Replied(r *belfry.Reply) { n.g.during(func() { n.Node.Replied(r) }) }

type guardedLink struct {
	belfry.Link
	g *guard
}

// Publish implements belfry.Link.
func (l guardedLink) Publish(ctx context.Context, m *belfry.Message) error {
	l.g.check("Publish")
	return l.Link.Publish(ctx, m)
}

// Reply implements belfry.Link.
func (l guardedLink) Reply(ctx context.Context, to belfry.NodeID, r *belfry.Reply) error {
	l.g.check("Reply")
	return l.Link.Reply(ctx, to, r)
}

// Peers implements belfry.Link.
func (l guardedLink) Peers(ctx context.Context) ([]belfry.NodeID, error) {
	l.g.check("Peers")
	return l.Link.Peers(ctx)
}

// Close implements belfry.Link.
func (l guardedLink) Close(ctx context.Context) error {
	l.g.check("Close")
	return l.Link.Close(ctx)
}

type guardedKeeper struct {
	guardedLink
	belfry.Log
	belfry.Sessions
}
