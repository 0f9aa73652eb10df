package serve

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry/socketio"
	"github.com/seed-09a96375/belfry/stomp"
)

// fronts are what clients come by. They share the hub of Socket.IO's server, and with
// it all rooms.
type fronts struct {
	io    *socketio.Server
	stomp *stomp.Server // nil: not served
}

// openFronts puts the other fronts beside io. If it fails io stays open.
func (n *node) openFronts(io *socketio.Server) (*fronts, error) {
	f := &fronts{io: io}
	n.guard.ServeSocketIO(io)
	if n.o.STOMP.Path == "" {
		return f, nil
	}
	o := n.o.stomp()
	o.Poller = io.Engine().Poller()
	n.guard.GuardSTOMP(&o)
	var err error
	f.stomp, err = stomp.New(io.Hub(), o)
	return f, err
}

// mount puts all that the node answers at its paths. While it starts that is 503.
func (n *node) mount(mux *http.ServeMux) {
	front := func(path string, of func(*fronts) http.Handler) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { n.serveClient(w, r, of) })
	}
	front(n.o.Path, func(f *fronts) http.Handler { return f.io })
	if path := n.o.STOMP.Path; path != "" {
		stomp := func(f *fronts) http.Handler { return f.stomp }
		front(path, stomp)
		front(path+"/websocket", stomp) // what SockJS calls its raw transport
	}
}

func (n *node) serveClient(w http.ResponseWriter, r *http.Request, of func(*fronts) http.Handler) {
	if f := n.fronts.Load(); f != nil {
		if n.draining.Load() && r.Header.Get("Upgrade") == "" {
			w.Header().Set("Connection", "close") // what is kept alive would break with the node
		}
		of(f).ServeHTTP(w, r)
		return
	}
	w.Header().Set("Retry-After", "1")
	http.Error(w, "starting", http.StatusServiceUnavailable)
}

// clients is how many there are.
func (f *fronts) clients() int {
	all := f.io.Engine().Sessions()
	if f.stomp != nil {
		all += f.stomp.Connections()
	}
	return all
}

// drain moves the clients of all fronts at once, each evenly over the time.
func (f *fronts) drain(ctx context.Context, over time.Duration) error {
	drains := []func(context.Context, time.Duration) error{f.io.Drain}
	if f.stomp != nil {
		drains = append(drains, f.stomp.Drain)
	}
	errs := make([]error, len(drains))
	var all sync.WaitGroup
	for i, drain := range drains {
		all.Go(func() { errs[i] = drain(ctx, over) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// close ends all fronts, and with the last the node's place in the cluster.
func (f *fronts) close(ctx context.Context) error {
	var err error
	if f.stomp != nil {
		err = f.stomp.Close(ctx)
	}
	return errors.Join(err, f.io.Close(ctx))
}
