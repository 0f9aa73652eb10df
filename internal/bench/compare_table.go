package bench

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-09a96375/belfry/internal/bench/check"
)

// writeTable writes the comparison as Markdown.
func (c *comparison) writeTable(w io.Writer) error {
	var b strings.Builder
	m := c.Machine
	fmt.Fprintf(&b, "%s, %d logical cores, %.0f GiB, %s, %s, %s. Median of %d runs (lowest–highest).\n\n",
		m.CPU, m.Cores, float64(m.Memory)/(1<<30), m.Kernel, m.Go, c.Started.Format("2006-01-02"), c.Runs)
	if c.Scale != 1 {
		fmt.Fprintf(&b, "Clients, rooms and rates are %v times those in the table.\n\n", c.Scale)
	}
	if c.Nodes > 1 {
		fmt.Fprintf(&b, "Each server is %d processes; Redis is not counted to them.\n\n", c.Nodes)
	}
	columns := c.columns()
	fmt.Fprintf(&b, "| | %s |\n|---|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
	for _, k := range c.cases {
		for _, met := range k.metrics {
			c.writeRow(&b, k, met, columns)
		}
	}
	fmt.Fprintf(&b, "| messages checked; lost, duplicated, out of order, misrouted or corrupt, connections lost | %s |\n", strings.Join(c.checks(columns), " | "))
	c.writeDoubts(&b)
	for _, f := range c.Failures {
		fmt.Fprintf(&b, "\nFailed: %s\n", strings.ReplaceAll(f, "\n", " "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const (
	// tolerable is the share of the machine that others may use.
	tolerable = 0.1
	// punctual is how late a sender may be, in milliseconds.
	punctual = 100
)

// writeDoubts names the runs that something else disturbed.
func (c *comparison) writeDoubts(b *strings.Builder) {
	var doubts []string
	for _, k := range c.cases {
		for _, name := range c.columns() {
			for _, r := range c.Results[k.name][name] {
				if t := r.Traffic; t != nil && (t.OthersCPU > tolerable || t.BehindMS > punctual) {
					doubts = append(doubts, fmt.Sprintf("%s %s (%.0f%%, %.0f ms)", k.name, name, t.OthersCPU*100, t.BehindMS))
				}
			}
		}
	}
	if len(doubts) > 0 {
		fmt.Fprintf(b, "\nDisturbed runs, by the share of the machine that others used and how late a sender was: %s.\n", strings.Join(doubts, ", "))
	}
}

// columns returns the names of the columns: the floor only if it was measured.
func (c *comparison) columns() []string {
	for _, k := range c.cases {
		if k.floor {
			return append([]string{floorName}, c.Servers...)
		}
	}
	return c.Servers
}

func (c *comparison) writeRow(b *strings.Builder, k benchCase, m metric, columns []string) {
	floor := median(c.values(k, m, floorName))
	fmt.Fprintf(b, "| %s |", m.title)
	for _, name := range columns {
		v := c.values(k, m, name)
		cell := spread(v, m.decimals)
		if m.relative && name != floorName && floor > 0 && len(v) > 0 {
			cell += fmt.Sprintf(", %.2f× floor", median(v)/floor)
		}
		fmt.Fprintf(b, " %s |", cell)
	}
	b.WriteString("\n")
}

// values returns a metric of all runs of a case on a server.
func (c *comparison) values(k benchCase, m metric, server string) []float64 {
	var out []float64
	for _, r := range c.Results[k.name][server] {
		if v := m.value(r); v != nil {
			out = append(out, *v)
		}
	}
	return out
}

// checks returns what the checker found, per server over all cases.
func (c *comparison) checks(columns []string) []string {
	var out []string
	for _, name := range columns {
		var t check.Tally
		for _, byServer := range c.Results {
			for _, r := range byServer[name] {
				t.Add(r.Check)
			}
		}
		out = append(out, fmt.Sprintf("%s; %d, %d, %d, %d, %d",
			thousands(float64(t.Expected)), t.Lost, t.Duplicated, t.OutOfOrder, t.Misrouted+t.Corrupt, t.Disconnected))
	}
	return out
}

// median returns the middle value, of an even number the mean of the middle
// two; 0 of none.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// spread writes the median and the extremes.
func spread(v []float64, decimals int) string {
	switch len(v) {
	case 0:
		return "–"
	case 1:
		return format(v[0], decimals)
	}
	return fmt.Sprintf("%s (%s–%s)", format(median(v), decimals), format(slices.Min(v), decimals), format(slices.Max(v), decimals))
}

// format writes a number: with separators if it has no decimals.
func format(v float64, decimals int) string {
	if decimals == 0 {
		return thousands(v)
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}
