package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/seed-09a96375/belfry/chaos/backend"
)

// backends runs the scenarios between clients and backends.
func (s *series) backends(ctx context.Context) {
	for _, c := range backend.All() {
		if !asked(s.scenarios, c.Name) {
			continue
		}
		if !s.only {
			s.repeat(ctx, func() { s.backend(ctx, c, false) })
		}
		if s.controls || s.only {
			s.repeat(ctx, func() { s.backend(ctx, c, true) })
		}
	}
}

func (s *series) backend(ctx context.Context, c backend.Scenario, control bool) {
	o := s.backendOptions(c.Name, control)
	r, start := result{Subject: "belfry", Scenario: c.Name, Seed: s.seed}, time.Now()
	var report backend.Report
	var err error
	if control {
		r.Control = c.Control
		report, err = c.RunControl(ctx, o)
		r.Faults = c.Unseen(report)
	} else {
		report, err = c.Run(ctx, o)
		r.Faults = c.Judge(report, o.Wanted())
	}
	r.Backend = &report
	s.end(&r, start, err, o.Dir)
}

func (s *series) backendOptions(name string, control bool) backend.Options {
	if control {
		name += "-control"
	}
	o := backend.Options{
		Belfry: s.belfry, Consumer: s.consumer, Script: "clients/orders.js", Nginx: "../deploy/nginx/belfry.conf",
		Clients: s.clients, Events: s.events, Hasty: s.short || control, Dir: s.folder("belfry-" + name),
	}
	if control {
		o.Events = controlEvents
	}
	return o
}

// controlEvents are enough for a control.
const controlEvents = 4000

// keep takes a result into the series, prints it, and removes the logs of what was
// kept.
func (s *series) keep(r *result, dir string) {
	if r.ok() && s.keepIn == "" {
		_ = os.RemoveAll(dir)
	} else {
		r.Logs = dir
	}
	s.results = append(s.results, *r)
	r.print(os.Stdout)
	if err := s.write(); err != nil { // after each: a series is long
		fmt.Fprintln(os.Stderr, "chaos:", err)
	}
}
