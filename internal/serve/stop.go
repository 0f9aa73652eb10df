package serve

import (
	"context"
	"errors"
	"time"
)

// closeTime bounds what follows the drain, shutdownTime the wait for HTTP
// requests after that.
const (
	closeTime    = 5 * time.Second
	shutdownTime = time.Second
	progressTime = time.Second
)

// stop ends the node in the order that loses nothing.
func (n *node) stop(ctx context.Context) error {
	n.stopping.Store(true)
	defer n.letGo()
	n.delay()
	n.stopSources() // other nodes go on with them
	errs := []error{n.drain(ctx)}
	closing, cancel := context.WithTimeout(ctx, closeTime)
	defer cancel()
	if err := n.fronts.Load().close(closing); errors.Is(err, context.DeadlineExceeded) {
		n.log.Warn("clients that did not take leave were cut off", "err", err)
	} else {
		errs = append(errs, err)
	}
	ending, cancel := context.WithTimeout(ctx, shutdownTime)
	defer cancel()
	if n.web.Shutdown(ending) != nil {
		errs = append(errs, n.web.Close())
	}
	return errors.Join(errs...)
}

// delay gives load balancers time to notice that the node is not ready.
func (n *node) delay() {
	n.log.Info("stopping: not ready any more; another signal ends the process at once", "delay", n.o.DrainDelay.String())
	time.Sleep(n.o.DrainDelay)
}

// drain moves the clients and tells how that goes.
func (n *node) drain(ctx context.Context) error {
	n.draining.Store(true)
	f := n.fronts.Load()
	n.log.Info("draining", "clients", f.clients(), "over", n.o.Drain.String())
	done := make(chan error, 1)
	go func() { done <- f.drain(ctx, n.o.Drain) }()
	progress := time.NewTicker(progressTime)
	defer progress.Stop()
	for {
		select {
		case err := <-done:
			n.log.Info("drained")
			return err
		case <-progress.C:
			n.log.Info("draining", "left", f.clients())
		}
	}
}
