// Command node is one node of the cluster that faults are tried on: Belfry as an
// application embeds it, with
//
//	join (room, ack)        over Socket.IO
//	POST /publish           emits m (stream, number) to a room of the cluster
//	GET /healthz/ready      200 as soon as it serves
//
// SIGTERM ends it in an orderly way.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, parse()); err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	listen, redis, node string
	interest, recovery  bool
	deaf                bool
}

func parse() (o options) {
	flag.StringVar(&o.listen, "listen", "127.0.0.1:0", "`address` to serve at")
	flag.StringVar(&o.redis, "redis", "", "`URL` of the Redis that the nodes share")
	flag.StringVar(&o.node, "node", "", "`name` of this node")
	flag.BoolVar(&o.interest, "interest", true, "get only the rooms that have members here")
	flag.BoolVar(&o.recovery, "recovery", true, "let clients recover their sessions")
	flag.BoolVar(&o.deaf, "ignore-losses", false, "do not tell clients of losses: the control of the checker")
	flag.Parse()
	return o
}

const (
	headerTime = 10 * time.Second
	// closeTime bounds an orderly end.
	closeTime = 10 * time.Second
)

func run(ctx context.Context, o options) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	n, err := open(ctx, o, log)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", o.listen)
	if err != nil {
		return errors.Join(err, n.close(context.Background()))
	}
	web := &http.Server{Handler: n.handler(), ReadHeaderTimeout: headerTime}
	failed := make(chan error, 1)
	go func() { failed <- web.Serve(ln) }()
	log.Info("serving", "at", ln.Addr().String())
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	return errors.Join(err, n.close(end), web.Shutdown(end))
}
