// Command meetnode serves examples/meet on nodes that act as one server.
//
//	meetnode -bundle FILE [-nodes N] [-redis URL] [-away TIME]
//
// With the URL of a Redis the nodes of all processes that have it are one
// server, else those of this process. It prints one JSON line, node name to base
// URL, and ends when its standard input ends.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/bus/redis"
	"github.com/seed-09a96375/belfry/examples/meet"
	"github.com/seed-09a96375/belfry/socketio"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// options are what the flags say.
type options struct {
	bundle, redis string
	nodes         int
	away          time.Duration
}

func run() (err error) {
	var o options
	flag.StringVar(&o.bundle, "bundle", "", "`file` with the browser client")
	flag.StringVar(&o.redis, "redis", "", "`URL` of a Redis")
	flag.IntVar(&o.nodes, "nodes", 1, "`number` of nodes")
	flag.DurationVar(&o.away, "away", 2*time.Minute, "`time` that a client may be away")
	flag.Parse()
	bundle, err := os.ReadFile(o.bundle)
	if err != nil {
		return fmt.Errorf("read the client: %w", err)
	}
	bus, end, err := openBus(o)
	if err != nil {
		return err
	}
	defer end()
	urls := make(map[string]string)
	for i := range o.nodes {
		n, err := newNode(bus, bundle, o.away)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, n.close()) }()
		urls[fmt.Sprint("node-", i+1)] = n.url
	}
	if err := json.NewEncoder(os.Stdout).Encode(urls); err != nil {
		return fmt.Errorf("print addresses: %w", err)
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func openBus(o options) (belfry.Bus, func(), error) {
	if o.redis == "" {
		return memory.New(memory.Options{Log: &memory.Log{}}), func() {}, nil
	}
	b, err := redis.New(context.Background(), redis.Options{URL: o.redis, Interest: true, Lease: 2 * time.Second})
	if err != nil {
		return nil, nil, fmt.Errorf("open the bus: %w", err)
	}
	return b, func() { b.Close() }, nil
}

type node struct {
	url   string
	srv   *socketio.Server
	front *http.Server
}

func newNode(bus belfry.Bus, bundle []byte, away time.Duration) (*node, error) {
	srv, err := socketio.New(socketio.Options{
		Bus: bus, Recovery: &socketio.Recovery{MaxDisconnection: away}, Presence: meet.Keeps, ClientBundle: bundle,
	})
	if err != nil {
		return nil, fmt.Errorf("start a node: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	n := &node{url: "http://" + l.Addr().String(), srv: srv}
	rooms := meet.New(srv, meet.Options{})
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.Handle("/api/", rooms.API())
	mux.Handle("/meet/", http.StripPrefix("/meet", rooms.Page()))
	n.front = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = n.front.Serve(l) }() // ends with close
	return n, nil
}

func (n *node) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := n.srv.Close(ctx)
	return errors.Join(err, n.front.Close())
}
