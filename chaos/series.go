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
	"github.com/seed-09a96375/belfry/chaos/lab"
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
	if s.node == "" && asked(s.subjects, "belfry") {
		s.node = filepath.Join(s.dir, "belfry-node")
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", s.node, "./node").CombinedOutput(); err != nil {
			return false, fmt.Errorf("build the node: %w\n%s", err, out)
		}
		defer func() { _ = os.Remove(s.node) }()
	}
	chosen, err := s.choose(subjects(s.node))
	if err != nil {
		return false, err
	}
	if err := missing(chosen); err != nil {
		return false, err
	}
	for _, subject := range chosen {
		s.subject(ctx, subject)
	}
	return s.verdict(), s.write()
}

// choose returns the subjects that were asked for, and checks both names.
func (s *series) choose(all []lab.Subject) (chosen []lab.Subject, err error) {
	for _, subject := range all {
		if asked(s.subjects, subject.Name) {
			chosen = append(chosen, subject)
		}
	}
	known := slices.ContainsFunc(scenario.All(), func(c scenario.Scenario) bool { return asked(s.scenarios, c.Name) })
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
	a(ctx, subject, c)
	if last := &s.results[len(s.results)-1]; s.again && !last.ok() && ctx.Err() == nil {
		last.Again = true
		a(ctx, subject, c)
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
	}, s.with(subject, c.Name, s.messages, s.short))
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

func (s *series) with(subject lab.Subject, name string, messages int, hasty bool) scenario.Options {
	subject.Sticky = subject.Sticky || s.sticky
	return scenario.Options{
		Transports: s.transports, Subject: subject, Messages: messages, Clients: s.clients, Seed: s.seed, Hasty: hasty,
		Dir: filepath.Join(s.dir, subject.Name+"-"+name), Script: "clients/fleet.js", Nginx: "../deploy/nginx/belfry.conf",
	}
}

func (s *series) note(r *result, experiment func(scenario.Options) (account.Report, error), o scenario.Options) {
	start := time.Now()
	var err error
	r.Report, err = experiment(o)
	r.Seed, r.Seconds = s.seed, time.Since(start).Round(100*time.Millisecond).Seconds()
	if err != nil {
		r.Err = err.Error()
	}
	if r.ok() && s.keepIn == "" {
		_ = os.RemoveAll(o.Dir)
	} else {
		r.Logs = o.Dir
	}
	s.results = append(s.results, *r)
	r.print(os.Stdout)
	if err := s.write(); err != nil { // after each: a series is long
		fmt.Fprintln(os.Stderr, "chaos:", err)
	}
}
