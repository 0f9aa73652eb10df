// Package demo is `belfry demo`: a chat on a few nodes in one process, with a
// page that shows what happens.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/examples/chat"
	"github.com/seed-09a96375/belfry/internal/cluster"
	"github.com/seed-09a96375/belfry/socketio"
)

// Options of a demo. The zero value is ready for use.
type Options struct {
	// Nodes is their number, MaxNodes at most. Default 2.
	Nodes int
	// Listen is the address of the first node; the others take the ports that
	// follow. With port 0 each takes one that is free. Default 127.0.0.1:3000.
	Listen string
	// Open shows the first node's page in the user's browser.
	Open bool
	// Out gets what there is to tell the user. Default: nothing.
	Out io.Writer
	// Logger gets what an operator should see. Default slog.Default().
	Logger *slog.Logger
}

// MaxNodes is the most nodes that a demo has.
const MaxNodes = 9

func (o Options) withDefaults() Options {
	if o.Nodes == 0 {
		o.Nodes = 2
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:3000"
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Validate names the option that cannot work.
func (o Options) Validate() error {
	if o.Nodes < 0 || o.Nodes > MaxNodes {
		return fmt.Errorf("demo: Options.Nodes is %d: must be between 1 and %d, or 0 for the default", o.Nodes, MaxNodes)
	}
	return nil
}

// Run serves the demo until ctx ends, which is no error. If an address cannot be
// had, the error is a *cluster.ListenError.
func Run(ctx context.Context, o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	o = o.withDefaults()
	listeners, err := cluster.Listen(ctx, o.Listen, o.Nodes)
	if err != nil {
		return err
	}
	nodes, err := newNodes(o, listeners)
	if err != nil {
		return err
	}
	o.greet(ctx, listeners, clientBundle() != nil)
	err = cluster.Serve(ctx, nodes)
	if err == nil {
		fmt.Fprintln(o.Out, "Stopped.")
	}
	return err
}

// newNodes puts a server behind each listener, all on one bus. On an error
// nothing is left open.
func newNodes(o Options, listeners []net.Listener) ([]cluster.Node, error) {
	bus := memory.New(memory.Options{Log: &memory.Log{}})
	all := make([]cluster.Node, 0, len(listeners))
	for i, ln := range listeners {
		n, err := newNode(o, bus, listeners, i)
		if err != nil {
			return nil, errors.Join(err, discard(all, listeners))
		}
		n.Listener = ln
		all = append(all, n)
	}
	return all, nil
}

// discard closes what was not served yet.
func discard(nodes []cluster.Node, listeners []net.Listener) error {
	var errs []error
	for _, n := range nodes {
		errs = append(errs, n.Stop(context.Background()))
	}
	for _, ln := range listeners {
		errs = append(errs, ln.Close())
	}
	return errors.Join(errs...)
}

func newNode(o Options, bus belfry.Bus, listeners []net.Listener, i int) (cluster.Node, error) {
	name := nodeName(i)
	start, err := page(listeners, i)
	if err != nil {
		return cluster.Node{}, fmt.Errorf("read the page: %w", err)
	}
	srv, err := socketio.New(socketio.Options{
		Bus:          bus,
		Node:         belfry.NodeID(name),
		Recovery:     &socketio.Recovery{},
		EngineIO:     engineio.Options{Origins: []string{}}, // its own page, no other
		ClientBundle: clientBundle(),
		Logger:       o.Logger.With("node", name),
	})
	if err != nil {
		return cluster.Node{}, fmt.Errorf("start %s: %w", name, err)
	}
	room := chat.New(srv, chat.Options{})
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.Handle("/", start)
	return cluster.Node{
		Name:    name,
		Handler: mux,
		Stop: func(ctx context.Context) error {
			defer room.Close()
			return srv.Close(ctx)
		},
	}, nil
}

func nodeName(i int) string { return fmt.Sprintf("node-%d", i+1) }
