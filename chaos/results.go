package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/seed-09a96375/belfry/chaos/backend"
	"github.com/seed-09a96375/belfry/chaos/chain"
	"github.com/seed-09a96375/belfry/chaos/scenario"
)

// show prints and writes results of earlier runs, a scenario's together.
func show(o options) (ok bool, err error) {
	s := &series{options: o}
	for _, file := range o.from {
		text, err := os.ReadFile(file)
		if err != nil {
			return false, err
		}
		var some []result
		if err := json.Unmarshal(text, &some); err != nil {
			return false, fmt.Errorf("%s: %w", file, err)
		}
		s.results = append(s.results, some...)
	}
	sortByScenario(s.results)
	for _, r := range s.results {
		r.print(os.Stdout)
	}
	return s.verdict(), s.write()
}

// names returns those of all scenarios.
func names() (all []string) {
	for _, s := range scenario.All() {
		all = append(all, s.Name)
	}
	for _, s := range backend.All() {
		all = append(all, s.Name)
	}
	for _, s := range chain.All() {
		all = append(all, s.Name)
	}
	return all
}

func sortByScenario(results []result) {
	order := map[string]int{}
	for i, name := range names() {
		order[name] = i
	}
	slices.SortStableFunc(results, func(a, b result) int {
		return cmp.Compare(order[a.Scenario], order[b.Scenario])
	})
}

// verdict says what was not kept, and whether everything was.
func (s *series) verdict() bool {
	kept := true
	for _, r := range s.results {
		if r.ok() {
			continue
		}
		what := "not kept"
		if r.Again {
			what = "not kept at first"
		}
		kept = kept && r.Again
		fmt.Printf("%s: %s %s, seed %d: %s%s\n", what, r.Subject, r.title(), r.Seed, strings.Join(r.Faults, ", "), r.Err)
	}
	return kept
}

func (s *series) write() error {
	var errs []error
	if s.json != "" {
		text, err := json.MarshalIndent(s.results, "", "  ")
		errs = append(errs, err, os.WriteFile(s.json, append(text, '\n'), 0o644))
	}
	if s.markdown != "" {
		errs = append(errs, os.WriteFile(s.markdown, []byte(markdown(s.results)), 0o644))
	}
	return errors.Join(errs...)
}
