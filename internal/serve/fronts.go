package serve

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/plain"
	"github.com/seed-09a96375/belfry/socketio"
	"github.com/seed-09a96375/belfry/stomp"
)

// fronts are what clients come by, and the API of backends. They share the hub of
// Socket.IO's server, and with it all rooms.
type fronts struct {
	io    *socketio.Server
	stomp *stomp.Server // nil: not served
	plain *plain.Server // nil: not served
	api   http.Handler  // nil: not served
}

// guest is a front on the hub of another.
type guest interface {
	Connections() int
	Drain(ctx context.Context, over time.Duration) error
	Close(ctx context.Context) error
}

// guests are all fronts but Socket.IO.
func (f *fronts) guests() (all []guest) {
	if f.stomp != nil {
		all = append(all, f.stomp)
	}
	if f.plain != nil {
		all = append(all, f.plain)
	}
	return all
}

// openFronts puts the other fronts beside io. If it fails io alone stays open.
func (n *node) openFronts(ctx context.Context, io *socketio.Server) (*fronts, error) {
	router, err := n.openRouter(io.Hub().Space(namespace, hub.Hooks{}))
	if err != nil {
		return nil, err
	}
	n.routes = newRoutes(router, n.guard)
	if err := n.runArchive(io.Hub()); err != nil {
		return nil, err
	}
	n.guard.ServeSocketIO(io)
	n.serveHistory(io)
	socketio.OnOther(io, n.routes.fromSocketIO)
	f := &fronts{io: io}
	err = errors.Join(n.openSTOMP(f), n.openPlain(f), n.openAPI(f))
	if err != nil {
		return nil, errors.Join(err, f.closeGuests(ctx))
	}
	return f, nil
}

// clients is how many there are.
func (f *fronts) clients() int {
	n := f.io.Engine().Sessions()
	for _, g := range f.guests() {
		n += g.Connections()
	}
	return n
}

// drain moves the clients of all fronts at once, each evenly over the time.
func (f *fronts) drain(ctx context.Context, over time.Duration) error {
	guests := f.guests()
	errs := make([]error, len(guests)+1)
	var all sync.WaitGroup
	for i, g := range guests {
		all.Go(func() { errs[i] = g.Drain(ctx, over) })
	}
	errs[len(guests)] = f.io.Drain(ctx, over)
	all.Wait()
	return errors.Join(errs...)
}

// close ends all fronts, and with the last the node's place in the cluster.
func (f *fronts) close(ctx context.Context) error {
	return errors.Join(f.closeGuests(ctx), f.io.Close(ctx))
}

func (f *fronts) closeGuests(ctx context.Context) error {
	var errs []error
	for _, g := range f.guests() {
		errs = append(errs, g.Close(ctx))
	}
	return errors.Join(errs...)
}
