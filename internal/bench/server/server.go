// Package server is Belfry as the server under test: it serves the contract of
// `belfry bench` on the main namespace.
//
//	join (room, ack)     joins the room and acks
//	say (room, payload)  emits msg (payload) to the room, on all nodes
//	echo (payload, ack)  acks with the payload
//
// Payloads pass through as the bytes that came.
package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/internal/backplane"
	"github.com/seed-09a96375/belfry/internal/cluster"
	"github.com/seed-09a96375/belfry/internal/health"
	"github.com/seed-09a96375/belfry/internal/httpapi"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/queue/redisstream"
	"github.com/seed-09a96375/belfry/socketio"
)

// Options of the server under test.
type Options struct {
	// Nodes is their number in this process. Default 1.
	Nodes int
	// Bus joins them, and with a URL those of other processes. Recovery in it
	// lets clients come back.
	Bus backplane.Options
	// Listen is the address of the first node; the others take the ports that
	// follow. With port 0 each takes one that is free.
	Listen string
	// EngineIO are options of every node. Poller is set here.
	EngineIO engineio.Options
	// Poll are options of every node's Poller.
	Poll poll.Options
	// PublishKey lets those publish by HTTP who show it. Empty: there is no API.
	PublishKey string
	// Queue is the queue in the Redis of Bus that has what is echoed before the ack.
	// Empty: there is none.
	Queue string
	// Out gets the addresses, a line each. Default: nothing.
	Out io.Writer
}

func (o Options) withDefaults() Options {
	if o.Nodes == 0 {
		o.Nodes = 1
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	return o
}

// Run serves until ctx ends, which is no error. If an address cannot be had, the
// error is a *cluster.ListenError.
func Run(ctx context.Context, o Options) error {
	o = o.withDefaults()
	limit, err := poll.RaiseFileLimit()
	if err != nil {
		return err
	}
	bus, err := backplane.Open(ctx, o.Bus)
	if err != nil {
		return err
	}
	defer bus.Close()
	queue, end, err := o.openQueue(ctx)
	if err != nil {
		return err
	}
	defer end()
	listeners, err := cluster.Listen(ctx, o.Listen, o.Nodes)
	if err != nil {
		return err
	}
	nodes := make([]cluster.Node, 0, o.Nodes)
	for i, ln := range listeners {
		n, err := newNode(o, bus, queue, ln.Addr(), i)
		if err != nil {
			return errors.Join(err, cluster.Discard(nodes, listeners))
		}
		n.Listener = ln
		nodes = append(nodes, n)
		fmt.Fprintf(o.Out, "%s listens on http://%s, up to %d descriptors\n", n.Name, ln.Addr(), limit)
	}
	return cluster.Serve(ctx, nodes)
}

func newNode(o Options, bus belfry.Bus, queue *redisstream.Queue, at net.Addr, i int) (cluster.Node, error) {
	name := fmt.Sprintf("node-%d", i+1)
	group, err := poll.New(o.Poll)
	if err != nil {
		return cluster.Node{}, err
	}
	o.EngineIO.Poller = group
	srv, err := socketio.New(o.server(bus, at, name))
	if err != nil {
		return cluster.Node{}, errors.Join(err, group.Close(context.Background()))
	}
	contract(srv, queue, belfry.NodeID(name))
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	api, err := publishing(srv.Hub(), o.PublishKey)
	if err != nil {
		return cluster.Node{}, errors.Join(err, srv.Close(context.Background()), group.Close(context.Background()))
	}
	if api != nil {
		mux.Handle(httpapi.Path, api)
	}
	mux.Handle(health.Path, health.Handler(srv.Health))
	return cluster.Node{
		Name:    name,
		Handler: mux,
		Stop:    func(ctx context.Context) error { return errors.Join(srv.Close(ctx), group.Close(ctx)) },
	}, nil
}

func (o Options) server(bus belfry.Bus, at net.Addr, name string) socketio.Options {
	s := socketio.Options{
		EngineIO: o.EngineIO, Bus: bus, Node: belfry.NodeID(name),
		Advertise:          "http://" + cluster.Reachable(at) + "/socket.io/",
		MaxEventsPerSecond: -1,
	}
	if o.Bus.URL != "" {
		s.Node = backplane.NodeID(name) // other processes have a node of that name
	}
	if o.Bus.Recovery > 0 {
		s.Recovery = &socketio.Recovery{MaxDisconnection: o.Bus.Recovery}
	}
	return s
}

func contract(srv *socketio.Server, queue *redisstream.Queue, node belfry.NodeID) {
	socketio.On(srv, "join", func(_ context.Context, s *socketio.Socket, room belfry.Room) error {
		return s.Join(room)
	})
	socketio.On2(srv, "say", func(ctx context.Context, _ *socketio.Socket, room belfry.Room, payload json.RawMessage) error {
		return srv.To(room).Emit(ctx, "msg", payload)
	})
	if queue != nil {
		socketio.OnAck(srv, "echo", enqueue(queue, node))
		return
	}
	socketio.OnAck(srv, "echo", func(_ context.Context, _ *socketio.Socket, payload json.RawMessage) (json.RawMessage, error) {
		return payload, nil
	})
}
