package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
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
	fmt.Fprintf(w, "%-8s %s %s, seed %d, %.0f s\n", verdict, r.Subject, r.title(), r.Seed, r.Seconds)
	r.printCounts(w)
	for _, f := range r.Faults {
		fmt.Fprintln(w, "         !", f)
	}
	if r.Err != "" {
		fmt.Fprintln(w, "         !", r.Err)
	}
	if r.ok() {
		return
	}
	for _, e := range r.examples() {
		fmt.Fprintln(w, "         -", e)
	}
	fmt.Fprintln(w, "         logs:", r.Logs)
}

func (r *result) examples() []string {
	switch {
	case r.Backend != nil:
		return r.Backend.Examples
	case r.Chain != nil:
		return append(slices.Clone(r.Chain.Deliveries.Examples), r.Chain.Rows.Examples...)
	}
	return r.Report.Examples
}

func (r *result) printCounts(w io.Writer) {
	if r.Backend != nil {
		fmt.Fprintln(w, "        ", r.Backend)
		return
	}
	a := r.Report
	if r.Chain != nil {
		a = r.Chain.Deliveries
		defer fmt.Fprintln(w, "        ", r.Chain)
	}
	fmt.Fprintf(w, "         %d messages (%d maybe, %d refused), %d deliveries: lost %d, told %d, duplicated %d, reordered %d, disagreed %d, misrouted %d\n",
		a.Accepted, a.Maybe, a.Refused, a.Expected, a.Lost, a.Told, a.Duplicated, a.Reordered, a.Disagreed, a.Misrouted)
	fmt.Fprintf(w, "         %d drops: recovered %d (%d had heard nothing), not recovered %d, denied %d, absent %d, away p50 %d ms, max %d ms\n",
		a.Drops, a.Recovered, a.Unheard, a.NotRecovered, a.Denied, a.Absent, a.Away.P50, a.Away.Max)
	if a.Poison > 0 {
		fmt.Fprintf(w, "         %d entries of poison, %d dead letters\n", a.Poison, a.Letters)
	}
}

// markdown is the table of all results: a row for each scenario, a column for each
// server.
func markdown(results []result) string {
	var subjects, rows []string
	cells := make(map[[2]string]string)
	for _, r := range results {
		subjects, rows = with(subjects, r.Subject), with(rows, r.title())
		cells[[2]string{r.title(), r.Subject}] = r.cell()
	}
	var b strings.Builder
	b.WriteString("| | " + strings.Join(subjects, " | ") + " |\n|---" + strings.Repeat("|---", len(subjects)) + "|\n")
	for _, row := range rows {
		b.WriteString("| " + row + " |")
		for _, subject := range subjects {
			b.WriteString(" " + cmp.Or(cells[[2]string{row, subject}], "-") + " |")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func with(all []string, s string) []string {
	if slices.Contains(all, s) {
		return all
	}
	return append(all, s)
}

// cell is one result: lost / told / duplicated / reordered / disagreed, and how
// many of those who came back recovered.
func (r *result) cell() string {
	if r.Err != "" {
		return "failed"
	}
	if r.Backend != nil {
		return r.Backend.String()
	}
	a := r.Report
	if r.Chain != nil {
		a = r.Chain.Deliveries
	}
	var counts []string
	for _, n := range []int{a.Lost, a.Told, a.Duplicated, a.Reordered, a.Disagreed} {
		counts = append(counts, grouped(n))
	}
	text := strings.Join(counts, " / ")
	if back := a.Recovered + a.NotRecovered; back > 0 {
		text += fmt.Sprintf("; %s of %s", grouped(a.Recovered), grouped(back))
	}
	if r.Chain != nil {
		text += "; " + r.Chain.String()
	}
	return text
}

// grouped writes 12345 as 12,345.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
