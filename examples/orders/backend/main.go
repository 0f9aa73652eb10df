// Command backend is a backend of examples/orders. It handles what clients send,
// together with all others that run, and serves POST /api/notification.
//
//	backend -name backend-A -redis redis://127.0.0.1:6379 -api http://127.0.0.1:8080
//
// The key for the API is in BELFRY_KEY. It stops on SIGINT and SIGTERM, when what it
// has under way is done.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/seed-09a96375/belfry/client"
	"github.com/seed-09a96375/belfry/examples/orders"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run() error {
	name := flag.String("name", "backend-A", "`name` of this backend, of no other")
	redis := flag.String("redis", "redis://127.0.0.1:6379", "`URL` of the Redis of the nodes")
	api := flag.String("api", "http://127.0.0.1:8080", "`URL` of a node, or of what balances them")
	listen := flag.String("listen", "", "`address` for POST /api/notification; empty: it is not served")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	c, err := client.New(ctx, client.Options{Redis: *redis, API: *api, Key: os.Getenv("BELFRY_KEY")})
	if err != nil {
		return err
	}
	defer c.Close()
	end, err := serve(ctx, *listen, orders.Notifications(*api))
	if err != nil {
		return err
	}
	b := orders.Backend{Name: *name, Client: c}
	fmt.Println(*name, "handles events")
	return errors.Join(b.Run(ctx), end())
}

// serve serves at that address until end is called.
func serve(ctx context.Context, address string, h http.Handler) (end func() error, err error) {
	if address == "" {
		return func() error { return nil }, nil
	}
	var config net.ListenConfig
	ln, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/notification", h)
	web := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- web.Serve(ln) }()
	return func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err := web.Shutdown(ctx)
		if e := <-failed; !errors.Is(e, http.ErrServerClosed) {
			err = errors.Join(err, e)
		}
		return err
	}, nil
}
