package poll

import (
	"context"
	"fmt"
	"net"
	"runtime/debug"
	"sync"
)

// Group carries connections; it is a Poller. Safe for concurrent use.
type Group struct {
	opts    Options
	drops   dropCounters
	idle    sync.Pool // *backlog
	engine  *engine   // nil: every connection is a stream
	streams streams
}

// New starts the loops. The caller owes a Close.
func New(o Options) (*Group, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	g := &Group{opts: o.withDefaults()}
	g.idle.New = func() any { return new(backlog) }
	g.streams.init()
	if g.opts.Portable {
		return g, nil
	}
	var err error
	if g.engine, err = newEngine(g); err != nil {
		return nil, fmt.Errorf("start poll loops: %w", err)
	}
	return g, nil
}

// Add implements Poller.
func (g *Group) Add(c net.Conn, read []byte, bind func(Conn) Handler) error {
	if g.engine != nil && g.engine.serves(c) {
		return g.engine.add(c, read, bind)
	}
	return g.streams.add(g, c, read, bind)
}

// Stats reads the counters.
func (g *Group) Stats() Stats {
	var s Stats
	g.drops.addTo(&s)
	g.streams.addTo(&s)
	if g.engine != nil {
		g.engine.addTo(&s)
	}
	return s
}

// Close closes all connections with ErrClosed, refuses new ones, and waits
// until every Handler.Closed has returned and no goroutine of g is left. If ctx
// is done first it returns the context's error; the rest ends in its own time.
// Not to be called from a Handler. Further calls wait as well.
func (g *Group) Close(ctx context.Context) error {
	g.streams.closeAll()
	if g.engine != nil {
		g.engine.closeAll()
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		g.streams.wait()
		if g.engine != nil {
			g.engine.wait()
		}
	}()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close poll group: %w", ctx.Err())
	}
}

// deliver calls h.Data; a panic becomes an error that closes the connection, so
// that one client's message cannot end the process.
func (g *Group) deliver(h Handler, p []byte) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = g.panicked("Data", v)
		}
	}()
	return h.Data(p)
}

func (g *Group) tellClosed(h Handler, reason error) {
	defer func() {
		if v := recover(); v != nil {
			_ = g.panicked("Closed", v)
		}
	}()
	h.Closed(reason)
}

func (g *Group) panicked(method string, v any) error {
	g.opts.Logger.Error("handler panicked", "method", method, "panic", v, "stack", string(debug.Stack()))
	return fmt.Errorf("handler panicked in %s: %v", method, v)
}
