package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/seed-09a96375/belfry/chaos/account"
	"github.com/seed-09a96375/belfry/chaos/backend"
	"github.com/seed-09a96375/belfry/chaos/chain"
	"github.com/seed-09a96375/belfry/chaos/lab"
	"github.com/seed-09a96375/belfry/chaos/publish"
	"github.com/seed-09a96375/belfry/chaos/scenario"
)

// result is what came of one experiment.
type result struct {
	Subject  string         `json:"subject"`
	Scenario string         `json:"scenario"`
	Control  string         `json:"control,omitempty"` // what was broken on purpose
	Seed     uint64         `json:"seed"`
	Seconds  float64        `json:"seconds"`
	Report   account.Report `json:"report"`
	// Backend is the account of a scenario of backends, in place of Report.
	Backend *backend.Report `json:"backend,omitempty"`
	// Chain is that of the whole chain, in place of Report.
	Chain *chain.Report `json:"chain,omitempty"`
	// Faults: what must not be. For a control: that it was not found out.
	Faults []string `json:"faults,omitempty"`
	Err    string   `json:"err,omitempty"` // the experiment itself failed
	Logs   string   `json:"logs,omitempty"`
	// Again: another try was made, and counts in place of this one.
	Again bool `json:"again,omitempty"`
}

func (r result) ok() bool { return len(r.Faults) == 0 && r.Err == "" }

// series runs experiments one after the other.
type series struct {
	options
	dir     string
	tries   int // how often something was tried again
	results []result
}

func run(ctx context.Context, o options) (ok bool, err error) {
	s := &series{options: o, dir: o.keepIn}
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "chaos-"); err != nil {
			return false, err
		}
	}
	defer func() { _ = os.Remove(s.dir) }() // stays if logs are in it
	remove, err := s.build(ctx)
	defer remove()
	if err != nil {
		return false, err
	}
	chosen, err := s.choose(subjects(s.node, s.belfry))
	if err != nil {
		return false, err
	}
	if err := missing(chosen); err != nil {
		return false, err
	}
	for _, subject := range chosen {
		s.subject(ctx, subject)
	}
	if asked(s.subjects, "belfry") {
		s.backends(ctx)
		s.chains(ctx)
	}
	return s.verdict(), s.write()
}

// build makes the programs that are needed. The caller has them removed.
func (s *series) build(ctx context.Context) (remove func(), err error) {
	var made []string
	remove = func() {
		for _, file := range made {
			_ = os.Remove(file)
		}
	}
	if !asked(s.subjects, "belfry") {
		return remove, nil
	}
	for _, p := range []struct {
		file *string
		name string
		from string // a folder
	}{
		{&s.node, "belfry-node", "node"},
		{&s.belfry, "belfry", "../cmd/belfry"},
		{&s.consumer, "belfry-consumer", "consumer"},
	} {
		if *p.file != "" {
			continue
		}
		*p.file = filepath.Join(s.dir, p.name)
		made = append(made, *p.file)
		cmd := exec.CommandContext(ctx, "go", "build", "-o", *p.file, ".")
		cmd.Dir = p.from // in its module
		if out, err := cmd.CombinedOutput(); err != nil {
			return remove, fmt.Errorf("build %s: %w\n%s", p.name, err, out)
		}
	}
	return remove, nil
}

// choose returns the subjects that were asked for, and checks both names.
func (s *series) choose(all []lab.Subject) (chosen []lab.Subject, err error) {
	for _, subject := range all {
		if asked(s.subjects, subject.Name) {
			chosen = append(chosen, subject)
		}
	}
	known := slices.ContainsFunc(names(), func(name string) bool { return asked(s.scenarios, name) })
	if len(chosen) == 0 || !known {
		return nil, errors.New("no such subject or scenario: see -help and README.md")
	}
	return chosen, nil
}

func asked(names []string, name string) bool {
	return slices.Contains(names, name) || slices.Contains(names, "all")
}

func (s *series) subject(ctx context.Context, subject lab.Subject) {
	for _, c := range scenario.All() {
		if !asked(s.scenarios, c.Name) || !c.Applies(subject) || ctx.Err() != nil {
			continue
		}
		if !s.only {
			s.try(ctx, subject, c, s.experiment)
		}
		if (s.controls || s.only) && subject.Promises {
			s.try(ctx, subject, c, s.control)
		}
	}
}

type attempt func(ctx context.Context, subject lab.Subject, c scenario.Scenario)

// try makes an attempt, and another one if that fails and may be repeated.
func (s *series) try(ctx context.Context, subject lab.Subject, c scenario.Scenario, a attempt) {
	s.repeat(ctx, func() { a(ctx, subject, c) })
}

// repeat does what adds a result, and does it again if that is bad and may be repeated.
func (s *series) repeat(ctx context.Context, do func()) {
	do()
	if last := &s.results[len(s.results)-1]; s.again && !last.ok() && ctx.Err() == nil {
		last.Again = true
		s.tries++ // for a folder of its own
		do()
	}
}

func (s *series) experiment(ctx context.Context, subject lab.Subject, c scenario.Scenario) {
	r := result{Subject: subject.Name, Scenario: c.Name}
	s.note(&r, func(o scenario.Options) (report account.Report, err error) {
		report, err = c.Run(ctx, o)
		if subject.Promises {
			r.Faults = c.Judge(report, s.clients)
		}
		return report, err
	}, s.with(subject, c.Name, s.count(c), s.short))
}

func (s *series) control(ctx context.Context, subject lab.Subject, c scenario.Scenario) {
	r := result{Subject: subject.Name, Scenario: c.Name, Control: c.Control.String()}
	s.note(&r, func(o scenario.Options) (report account.Report, err error) {
		report, err = c.RunControl(ctx, o)
		if c.Control.Shows(report) == 0 {
			r.Faults = []string{"the control was not found out: nothing " + c.Control.Trace}
		}
		return report, err
	}, s.with(subject, c.Name+"-control", min(s.messages, controlMessages), true))
}

// controlMessages are enough for a control.
const controlMessages = 1500

// count is how many messages a scenario has.
func (s *series) count(c scenario.Scenario) int {
	switch c.Via {
	case publish.ByAPI:
		return s.events
	case publish.ByStream:
		return min(s.events, sourceEntries)
	}
	return s.messages
}

// sourceEntries bounds the entries of a source: it publishes one after the other, and
// with a Redis that answers when it has written to the disk that takes 10 ms each.
const sourceEntries = 2000

func (s *series) with(subject lab.Subject, name string, messages int, hasty bool) scenario.Options {
	subject.Sticky = subject.Sticky || s.sticky
	return scenario.Options{
		Transports: s.transports, Subject: subject, Messages: messages, Clients: s.clients, Seed: s.seed, Hasty: hasty,
		Dir: s.folder(subject.Name + "-" + name), Script: "clients/fleet.js", Nginx: "../deploy/nginx/belfry.conf",
	}
}

// folder is where a try has its logs and data: a new one.
func (s *series) folder(name string) string {
	dir := filepath.Join(s.dir, name)
	if s.tries > 0 {
		dir += fmt.Sprint("-", s.tries)
	}
	return dir
}

func (s *series) note(r *result, experiment func(scenario.Options) (account.Report, error), o scenario.Options) {
	start := time.Now()
	var err error
	r.Report, err = experiment(o)
	r.Seed = s.seed
	s.end(r, start, err, o.Dir)
}

// end completes a result with how long it took and why it failed, and keeps it.
func (s *series) end(r *result, start time.Time, err error, dir string) {
	r.Seconds = time.Since(start).Round(100 * time.Millisecond).Seconds()
	if err != nil {
		r.Err = err.Error()
	}
	s.keep(r, dir)
}
