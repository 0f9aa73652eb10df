package socketio

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/internal/forward"
)

// forwardable are the options of the layer below for a node that passes requests
// on.
func (s *Server) forwardable(o engineio.Options) engineio.Options {
	if s.opts.Advertise != "" {
		o.Tag = forward.Tag(s.hub.ID())
		o.Elsewhere = func(w http.ResponseWriter, r *http.Request, sid string) bool {
			return s.forward.Serve(w, r, sid)
		}
	}
	return o
}

// startForwarding announces this node to the others.
func (s *Server) startForwarding() error {
	if s.opts.Advertise == "" {
		return nil
	}
	directory := s.hub.Directory()
	if directory == nil {
		return errors.New("socketio: Options.Advertise is set, but Options.Bus keeps no addresses of nodes")
	}
	var err error
	s.forward, err = forward.New(context.Background(), forward.Options{
		Node: s.hub.ID(), URL: s.opts.Advertise, Directory: directory, Poller: s.engine.Poller(), Logger: s.opts.Logger,
	})
	if err != nil {
		return fmt.Errorf("socketio: %w", err)
	}
	return nil
}

// received returns the request as this node's client has sent it, if another node
// has passed it on.
func (s *Server) received(r *http.Request) *http.Request {
	if s.forward == nil {
		return r
	}
	return s.forward.Receive(r)
}

func (s *Server) stopForwarding(ctx context.Context) error {
	if s.forward == nil {
		return nil
	}
	return s.forward.Close(ctx)
}
