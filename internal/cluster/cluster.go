// Package cluster runs several nodes in one process: each has a listener and an
// HTTP server of its own, and they stop together.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry/internal/reclaim"
)

// Node is one server of the cluster.
type Node struct {
	Name     string
	Listener net.Listener
	Handler  http.Handler
	// Stop ends what Handler has under way, such as open sessions; it is called
	// once, before the HTTP server waits for its requests. When ctx ends it has to
	// cut off what is left.
	Stop func(ctx context.Context) error
}

const stopTime = 3 * time.Second

// Serve serves all nodes until ctx ends, which is no error, or one of them
// fails. Then it stops all of them and waits for them, for 3 s at most: who has
// not taken leave by then is cut off, which is no error either.
func Serve(ctx context.Context, nodes []Node) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer reclaim.Start(ctx)()
	errs := make([]error, len(nodes))
	var running sync.WaitGroup
	for i := range nodes {
		running.Go(func() {
			defer cancel() // one that ends ends all
			errs[i] = nodes[i].serve(ctx)
		})
	}
	running.Wait()
	return errors.Join(errs...)
}

// Discard closes what was to be served, and is not.
func Discard(nodes []Node, listeners []net.Listener) error {
	var errs []error
	for _, n := range nodes {
		errs = append(errs, n.Stop(context.Background()))
	}
	for _, ln := range listeners {
		errs = append(errs, ln.Close())
	}
	return errors.Join(errs...)
}

func (n *Node) serve(ctx context.Context) error {
	web := NewHTTPServer(n.Handler)
	failed := make(chan error, 1)
	var serving sync.WaitGroup
	serving.Go(func() { failed <- web.Serve(n.Listener) })
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		err = fmt.Errorf("serve %s: %w", n.Name, err)
	}
	err = errors.Join(err, n.stop(context.WithoutCancel(ctx), web))
	serving.Wait()
	return err
}

func (n *Node) stop(ctx context.Context, web *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	var errs []error
	if err := n.Stop(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		errs = append(errs, fmt.Errorf("stop %s: %w", n.Name, err))
	}
	if err := web.Shutdown(ctx); err != nil {
		errs = append(errs, web.Close())
	}
	return errors.Join(errs...)
}
