package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/internal/history"
)

// Options of an API. The zero value refuses everybody.
type Options struct {
	// Auth knows backends by their keys. nil: nobody is let in, unless Open is true.
	Auth *auth.Authenticator
	// Open lets everybody do everything: for a demo on one's own machine.
	Open bool
	// Namespaces are those that requests may name. They must exist on this node when
	// New is called, made by their front. Default "/"; the first is the default of
	// requests.
	Namespaces []string
	// MaxBody bounds a body, bytes. Default 1 MiB.
	MaxBody int
	// MaxBatch bounds the messages of a batch. Default 1000.
	MaxBatch int
	// MaxDepth bounds how deep arrays and objects nest in a body. Default 128.
	MaxDepth int
	// Timeout bounds the wait for the cluster and its nodes. Default 5 s.
	Timeout time.Duration
	// Answers takes answers to the events of clients. nil: there is nothing to
	// answer.
	Answers belfry.Answers
	// History reads the past of rooms; its errors are *history.Error. nil: there is none.
	History func(ctx context.Context, room belfry.Room, q history.Query) (*history.Page, error)
	// Version of the server, for GET /api/nodes. Empty: it is not told.
	Version string
	// Health says whether this node should get clients, and if not, why. It must not
	// block. nil: what the bus says.
	Health func() (ok bool, reasons []string)
	// Observe, if not nil, gets each call of an operation, by its id in the OpenAPI
	// document, with the status of its answer. It must not block.
	Observe func(operation string, status int, took time.Duration)
	// Logger gets what an operator should see. Default slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	set := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	set(&o.MaxBody, 1<<20)
	set(&o.MaxBatch, 1000)
	set(&o.MaxDepth, 128)
	if len(o.Namespaces) == 0 {
		o.Namespaces = []string{"/"}
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Validate names the options that cannot work, all of them.
func (o Options) Validate() error {
	var errs []error
	bad := func(field string, v any, rule string) {
		errs = append(errs, fmt.Errorf("httpapi: Options.%s is %v: must be %s", field, v, rule))
	}
	if o.Open && o.Auth != nil {
		bad("Open", o.Open, "false where backends are authenticated")
	}
	for _, n := range []struct {
		name string
		v    int
	}{{"MaxBody", o.MaxBody}, {"MaxBatch", o.MaxBatch}, {"MaxDepth", o.MaxDepth}, {"Timeout", int(o.Timeout)}} {
		if n.v < 0 {
			bad(n.name, n.v, "positive, or 0 for the default")
		}
	}
	for _, n := range o.Namespaces {
		if n == "" || n[0] != '/' {
			bad("Namespaces", n, "/ or /name")
		}
	}
	return errors.Join(errs...)
}
