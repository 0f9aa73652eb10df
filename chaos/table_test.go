package main

import (
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/chaos/account"
)

func TestMarkdown(t *testing.T) {
	got := markdown([]result{
		{Subject: "belfry", Scenario: "kill", Report: account.Report{Accepted: 5070, Expected: 1234567, Lost: 1, Recovered: 72}},
		{Subject: "belfry", Scenario: "kill", Control: "no recovery", Report: account.Report{NotRecovered: 1000}},
	})
	want := strings.Join([]string{
		"| scenario | server | messages | deliveries | lost in silence | missed, told | duplicated | reordered | other order than elsewhere | drops | recovered | not recovered |",
		"|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
		"| kill | belfry | 5,070 | 1,234,567 | 1 | 0 | 0 | 0 | 0 | 0 | 72 | 0 |",
		"| kill (control: no recovery) | belfry | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 1,000 |",
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
