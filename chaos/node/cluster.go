package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/socketio"
)

// node is the server with what it stands on.
type node struct {
	server *socketio.Server
	bus    *redis.Bus
	group  *poll.Group
	log    *slog.Logger
}

func open(ctx context.Context, o options, log *slog.Logger) (*node, error) {
	bus, err := redis.New(ctx, redis.Options{URL: o.redis, Interest: o.interest, Logger: log})
	if err != nil {
		return nil, err
	}
	group, err := poll.New(poll.Options{})
	if err != nil {
		bus.Close()
		return nil, err
	}
	n := &node{bus: bus, group: group, log: log}
	opts := socketio.Options{
		EngineIO: engineio.Options{Poller: group}, Bus: bus, Node: belfry.NodeID(o.node), Logger: log,
		Advertise: "http://" + o.listen + "/socket.io/",
	}
	if o.deaf {
		opts.Bus = deaf{bus}
	}
	if o.recovery {
		opts.Recovery = &socketio.Recovery{}
	}
	if n.server, err = socketio.New(opts); err != nil {
		bus.Close()
		return nil, errors.Join(err, group.Close(ctx))
	}
	socketio.On(n.server, "join", func(_ context.Context, s *socketio.Socket, room belfry.Room) error {
		return s.Join(room)
	})
	return n, nil
}

// drainTime is over how long clients are sent elsewhere.
const drainTime = time.Second

// close sends all clients elsewhere, where they recover, and ends.
func (n *node) close(ctx context.Context) error {
	err := errors.Join(n.server.Drain(ctx, drainTime), n.server.Close(ctx), n.group.Close(ctx))
	n.bus.Close()
	return err
}

func (n *node) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", n.server)
	mux.HandleFunc("POST /publish", n.publish)
	mux.HandleFunc("GET /healthz/ready", n.ready)
	return mux
}

// ready answers 200, or 503 and why.
func (n *node) ready(w http.ResponseWriter, _ *http.Request) {
	if ok, reasons := n.server.Health(); !ok {
		http.Error(w, strings.Join(reasons, "\n"), http.StatusServiceUnavailable)
	}
}

// publish answers 204 once the cluster has accepted the message, 503 if it has
// not.
func (n *node) publish(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Room           belfry.Room
		Stream, Number int
	}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	switch err := n.server.To(m.Room).Emit(r.Context(), "m", m.Stream, m.Number); {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, belfry.ErrUnavailable):
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	default:
		n.log.Warn("publish", "err", err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// deaf is a bus whose losses nobody hears of.
type deaf struct{ belfry.Bus }

func (d deaf) Attach(ctx context.Context, n belfry.Node) (belfry.Link, error) {
	return d.Bus.Attach(ctx, struct{ belfry.Node }{n})
}
