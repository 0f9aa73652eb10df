package main

import (
	"context"
	"time"

	"github.com/seed-09a96375/belfry/chaos/chain"
)

// chains runs the scenarios of the whole chain.
func (s *series) chains(ctx context.Context) {
	for _, c := range chain.All() {
		if !asked(s.scenarios, c.Name) || ctx.Err() != nil {
			continue
		}
		if !s.only {
			s.repeat(ctx, func() { s.chain(ctx, c) })
		}
		if s.controls || s.only {
			s.repeat(ctx, func() { s.chainControl(ctx, c) })
		}
	}
}

func (s *series) chain(ctx context.Context, c chain.Scenario) {
	o := s.chainOptions(c.Name, s.chained, s.short)
	report, start := chain.Report{}, time.Now()
	r := result{Subject: "belfry", Scenario: c.Name, Chain: &report, Seed: s.seed}
	var err error
	report, err = c.Run(ctx, o)
	if err == nil {
		r.Faults = c.Judge(report, o)
	}
	s.end(&r, start, err, o.Dir)
}

func (s *series) chainControl(ctx context.Context, c chain.Scenario) {
	o := s.chainOptions(c.Name+"-control", controlEvents, true)
	report, start := chain.Report{}, time.Now()
	r := result{Subject: "belfry", Scenario: c.Name, Control: c.Control, Chain: &report, Seed: s.seed}
	var err error
	report, err = c.RunControl(ctx, o)
	if err == nil {
		r.Faults = c.Unseen(report)
	}
	s.end(&r, start, err, o.Dir)
}

func (s *series) chainOptions(name string, messages int, hasty bool) chain.Options {
	return chain.Options{
		Belfry: s.belfry, Script: "clients/chain.js", Nginx: "../deploy/nginx/belfry.conf", Config: "../deploy/topology/belfry.yaml",
		Clients: s.clients, Messages: messages, Seed: s.seed, Hasty: hasty, Dir: s.folder("belfry-" + name),
	}
}
