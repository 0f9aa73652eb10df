package main

import (
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/chaos/account"
)

func TestMarkdown(t *testing.T) {
	got := markdown([]result{
		{Subject: "belfry", Scenario: "kill", Report: account.Report{Recovered: 1072}},
		{Subject: "node-streams", Scenario: "kill", Report: account.Report{
			Lost: 1, Told: 2345, Duplicated: 3, Reordered: 4, Disagreed: 5, Recovered: 6, NotRecovered: 7,
		}},
		{Subject: "belfry", Scenario: "kill", Control: "no recovery"},
		{Subject: "belfry", Scenario: "deaf", Err: "no"},
	})
	want := strings.Join([]string{
		"| | belfry | node-streams |",
		"|---|---|---|",
		"| kill | 0 / 0 / 0 / 0 / 0; 1,072 of 1,072 | 1 / 2,345 / 3 / 4 / 5; 6 of 13 |",
		"| kill (control: no recovery) | 0 / 0 / 0 / 0 / 0 | - |",
		"| deaf | failed | - |",
		"",
	}, "\n")
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestPrint(t *testing.T) {
	var b strings.Builder
	r := result{
		Subject: "belfry", Scenario: "kill", Seed: 7, Seconds: 20, Faults: []string{"1 lost in silence"}, Logs: "there",
		Report: account.Report{Lost: 1, Examples: []string{"client 3: lost 4 of stream 5"}},
	}
	r.print(&b)
	for _, want := range []string{"NOT KEPT belfry kill, seed 7", "! 1 lost in silence", "- client 3", "logs: there"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
	b.Reset()
	r.Faults = nil
	r.print(&b)
	if !strings.HasPrefix(b.String(), "ok ") || strings.Contains(b.String(), "client 3") {
		t.Errorf("a good result:\n%s", b.String())
	}
}

// TestVerdict: what fails twice is not kept, what fails once may be.
func TestVerdict(t *testing.T) {
	bad, good := result{Scenario: "kill", Faults: []string{"1 lost in silence"}}, result{Scenario: "kill"}
	first := bad
	first.Again = true
	for _, c := range []struct {
		results []result
		want    bool
	}{
		{[]result{good}, true},
		{[]result{good, bad}, false},
		{[]result{first, good}, true},
		{[]result{first, bad}, false},
	} {
		if got := (&series{results: c.results}).verdict(); got != c.want {
			t.Errorf("%v: verdict %v", c.results, got)
		}
	}
}
