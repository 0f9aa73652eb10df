package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/pflag"
)

// output says where the summary goes.
type output struct {
	json string // file; "-" is standard output; empty is none
}

func (o *output) flags(f *pflag.FlagSet) {
	f.StringVar(&o.json, "json", "", "file for the summary as JSON; - prints it instead of the text")
}

// write writes the summary: text for people, JSON where it is wanted.
func (o *output) write(stdout io.Writer, r *Result) error {
	if o.json == "-" {
		return writeJSON(stdout, r)
	}
	if err := writeText(stdout, r); err != nil || o.json == "" {
		return err
	}
	return saveJSON(o.json, r)
}

func saveJSON(name string, v any) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := writeJSON(f, v); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// writeText writes the summary as a table of names and values.
func writeText(out io.Writer, r *Result) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if r.Partial {
		fmt.Fprintln(w, "interrupted: the figures are of what was done")
	}
	textConnect(w, r)
	textTraffic(w, r)
	textReturn(w, r.Return)
	if r.Hold != nil && r.Hold.ServerCPU != nil {
		fmt.Fprintf(w, "server CPU while held\t%.2f s in %.0f s\n", *r.Hold.ServerCPU, r.Hold.Seconds)
	}
	if m := r.Memory; m != nil && m.End > 0 {
		fmt.Fprintf(w, "server memory\t%.1f MiB before, %.1f MiB at the end, %.2f KiB per client\n",
			mib(m.Before), mib(m.End), m.PerClient/1024)
	}
	if m := r.Redis; m != nil && m.End > 0 {
		fmt.Fprintf(w, "Redis memory\t%.1f MiB before, %.1f MiB at the end, %.2f KiB per client\n",
			mib(m.Before), mib(m.End), m.PerClient/1024)
	}
	textCheck(w, r)
	if g := r.Generator; g.Workers > 0 {
		fmt.Fprintf(w, "generator\t%.2f s CPU, %.1f MiB, %d worker(s)\n", g.CPU, mib(g.RSS), g.Workers)
	}
	return w.Flush()
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

func textConnect(w io.Writer, r *Result) {
	c := r.Connect
	fmt.Fprintf(w, "connected\t%d of %d clients in %.2f s, %s per second\n", c.Clients, r.Clients, c.Seconds, thousands(c.PerSecond))
	if c.Latency.Count > 0 {
		fmt.Fprintf(w, "connect latency\t%s\n", c.Latency)
	}
	if c.Per1000 != nil {
		fmt.Fprintf(w, "server CPU\t%.3f s per 1,000 connects\n", *c.Per1000)
	}
}

func textTraffic(w io.Writer, r *Result) {
	for _, s := range r.Steps {
		fmt.Fprintf(w, "window %d\t%s deliveries/s, p99 %.1f ms\n", s.Window, thousands(s.PerSecond), s.Latency.P99)
	}
	t := r.Traffic
	if t == nil {
		return
	}
	what := "deliveries"
	if r.Mode == Echo {
		what = "acks"
	}
	fmt.Fprintf(w, "%s\t%s in %.2f s, %s per second\n", what, thousands(float64(t.Deliveries)), t.Seconds, thousands(t.PerSecond))
	fmt.Fprintf(w, "latency\t%s\n", t.Latency)
	if t.PerMillion != nil {
		fmt.Fprintf(w, "server CPU\t%.3f s per million %s\n", *t.PerMillion, what)
	}
	if t.RedisPerMillion != nil {
		fmt.Fprintf(w, "Redis CPU\t%.3f s per million %s\n", *t.RedisPerMillion, what)
	}
	if t.RoundTrip != nil {
		fmt.Fprintf(w, "Redis round trip\t%s\n", t.RoundTrip)
	}
	fmt.Fprintf(w, "generator CPU\t%.2f s, at most %.1f ms behind schedule\n", t.GeneratorCPU, t.BehindMS)
	fmt.Fprintf(w, "others' CPU\t%.0f%% of the machine\n", t.OthersCPU*100)
	if t.Stalls > 0 {
		fmt.Fprintf(w, "stalls\t%d\n", t.Stalls)
	}
}

func textReturn(w io.Writer, b *Returned) {
	if b == nil {
		return
	}
	fmt.Fprintf(w, "killed\t%d clients, %d came back in %.2f s, %d with their session, all whole after %.2f s\n",
		b.Clients, b.Back, b.BackSeconds, b.Recovered, b.Seconds)
	fmt.Fprintf(w, "return latency\t%s\n", b.Latency)
	if b.CommandsPerClient != nil {
		fmt.Fprintf(w, "Redis meanwhile\t%.2f s CPU, %.1f commands per client\n", b.Redis.CPU, *b.CommandsPerClient)
	}
}

func textCheck(w io.Writer, r *Result) {
	c := r.Check
	if c.Expected > 0 {
		fmt.Fprintf(w, "check\t%s expected, %d lost, %d duplicated, %d out of order\n",
			thousands(float64(c.Expected)), c.Lost, c.Duplicated, c.OutOfOrder)
	}
	if c.Misrouted+c.Corrupt > 0 {
		fmt.Fprintf(w, "also\t%d misrouted, %d corrupt\n", c.Misrouted, c.Corrupt)
	}
	if c.Disconnected > 0 {
		fmt.Fprintf(w, "connections lost\t%d\n", c.Disconnected)
	}
}

// String writes the distribution on one line.
func (l Latency) String() string {
	return fmt.Sprintf("p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, max %.2f ms", l.P50, l.P99, l.P999, l.Max)
}
