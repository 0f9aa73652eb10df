package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/seed-09a96375/belfry/chaos/account"
)

func (r *result) title() string {
	if r.Control != "" {
		return r.Scenario + " (control: " + r.Control + ")"
	}
	return r.Scenario
}

// print writes one result as text.
func (r *result) print(w io.Writer) {
	verdict := "ok"
	if !r.ok() {
		verdict = "NOT KEPT"
	}
	a := r.Report
	fmt.Fprintf(w, "%-8s %s %s, seed %d, %.0f s\n", verdict, r.Subject, r.title(), r.Seed, r.Seconds)
	fmt.Fprintf(w, "         %d messages (%d maybe, %d refused), %d deliveries: lost %d, told %d, duplicated %d, reordered %d, disagreed %d, misrouted %d\n",
		a.Accepted, a.Maybe, a.Refused, a.Expected, a.Lost, a.Told, a.Duplicated, a.Reordered, a.Disagreed, a.Misrouted)
	fmt.Fprintf(w, "         %d drops: recovered %d (%d had heard nothing), not recovered %d, denied %d, absent %d, away p50 %d ms, max %d ms\n",
		a.Drops, a.Recovered, a.Unheard, a.NotRecovered, a.Denied, a.Absent, a.Away.P50, a.Away.Max)
	for _, f := range r.Faults {
		fmt.Fprintln(w, "         !", f)
	}
	if r.Err != "" {
		fmt.Fprintln(w, "         !", r.Err)
	}
	if r.ok() {
		return
	}
	for _, e := range a.Examples {
		fmt.Fprintln(w, "         -", e)
	}
	fmt.Fprintln(w, "         logs:", r.Logs)
}

type column struct {
	title string
	of    func(account.Report) int
}

var columns = []column{
	{"messages", func(a account.Report) int { return a.Accepted }},
	{"deliveries", func(a account.Report) int { return a.Expected }},
	{"lost in silence", func(a account.Report) int { return a.Lost }},
	{"missed, told", func(a account.Report) int { return a.Told }},
	{"duplicated", func(a account.Report) int { return a.Duplicated }},
	{"reordered", func(a account.Report) int { return a.Reordered }},
	{"other order than elsewhere", func(a account.Report) int { return a.Disagreed }},
	{"drops", func(a account.Report) int { return a.Drops }},
	{"recovered", func(a account.Report) int { return a.Recovered }},
	{"not recovered", func(a account.Report) int { return a.NotRecovered }},
}

// markdown is the table of all results.
func markdown(results []result) string {
	var b strings.Builder
	b.WriteString("| scenario | server |")
	rule := "|---|---|"
	for _, c := range columns {
		b.WriteString(" " + c.title + " |")
		rule += "---:|"
	}
	b.WriteString("\n" + rule + "\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %s |", r.title(), r.Subject)
		for _, c := range columns {
			fmt.Fprintf(&b, " %s |", grouped(c.of(r.Report)))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// grouped writes 12345 as 12,345.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
