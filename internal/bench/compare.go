package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-09a96375/belfry/internal/bench/dialect"
	"github.com/seed-09a96375/belfry/internal/bench/proc"
)

// Comparison is the JSON form of what compare measured.
type Comparison struct {
	Machine proc.Machine `json:"machine"`
	Started time.Time    `json:"started"`
	Runs    int          `json:"runs"`  // of each case on each server
	Scale   float64      `json:"scale"` // of clients, rooms and rates
	Nodes   int          `json:"nodes"` // processes of each server; more where a case needs it
	Servers []string     `json:"servers"`
	Cases   []string     `json:"cases"`
	// Results are by case, then by server, in the order of the runs.
	Results map[string]map[string][]*Result `json:"results"`
	// Failures are the runs that have no result, and why.
	Failures []string `json:"failures,omitempty"`
}

// comparison runs cases on servers.
type comparison struct {
	Comparison
	cases   []benchCase
	servers []contestant
	tune    tuning
	launch  launcher
	log     io.Writer
}

// tuning changes all cases alike.
type tuning struct {
	duration, warmup, step time.Duration // 0: that of the case
}

// compareCommand returns the command that compares servers.
func compareCommand() *cobra.Command {
	var servers, only []string
	var markdown output
	protocols := map[string]string{}
	c := &comparison{}
	cmd := &cobra.Command{
		Use:   "compare --server name=command...",
		Short: "Run all cases on several servers in turn and print a table of medians",
		Long: `Run all cases on several servers in turn and print a table of medians.

Each server is started by its command line, anew for each case; {addr} in it
stands for the address to listen on, {port} for the port alone. Its process and
those that it starts are measured. With --nodes it is started so many times, and
the cases are others: those of a cluster. {redis} stands for the URL of a Redis
that is started for each case, keeps nothing on disk, and is measured apart.`,
		Example: `  belfry bench compare \
    --server 'belfry=belfry bench server --listen {addr}' \
    --server 'node=node interop/node/server.js --port {port}'
  belfry bench compare --nodes 2 \
    --server 'belfry=belfry bench server --listen {addr} --redis {redis}'`,
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.launch, c.log = execLauncher(benchArgs(cmd)), cmd.ErrOrStderr()
			if c.Runs < 1 || c.Scale <= 0 || c.Nodes < 1 {
				return fmt.Errorf("runs is %d, scale is %v, nodes is %d: want more than 0", c.Runs, c.Scale, c.Nodes)
			}
			if err := c.prepare(servers, protocols, only); err != nil {
				return err
			}
			return c.runAndReport(cmd.Context(), cmd.OutOrStdout(), markdown)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&servers, "server", nil, "name=command of a server; repeat")
	f.StringToStringVar(&protocols, "protocol", nil, "name=centrifuge for a server that speaks that protocol")
	f.StringSliceVar(&only, "case", nil, "cases to run (default all but idle-19k; with --nodes those of a cluster): "+caseNames())
	f.IntVar(&c.Nodes, "nodes", 1, "processes of each server; at least 2 in the cases of a cluster")
	f.IntVar(&c.Runs, "runs", 3, "runs of each case on each server")
	f.DurationVar(&c.tune.duration, "duration", 0, "how long to measure (default as the case has it)")
	f.DurationVar(&c.tune.warmup, "warmup", 0, "how long to send before (default as the case has it)")
	f.DurationVar(&c.tune.step, "step", 0, "how long each window of a saturation is measured (default 3s)")
	f.Float64Var(&c.Scale, "scale", 1, "multiplies clients, rooms and rates")
	f.StringVar(&markdown.json, "json", "", "file for all results as JSON; - prints it instead of the table")
	return cmd
}

// prepare reads the flags.
func (c *comparison) prepare(servers []string, protocols map[string]string, only []string) error {
	if len(servers) == 0 {
		return errors.New("server is empty: want at least one --server name=command")
	}
	for _, s := range servers {
		one, err := parseContestant(s)
		if err != nil {
			return err
		}
		one.protocol = dialect.SocketIO
		if p, ok := protocols[one.name]; ok {
			one.protocol = dialect.Name(p)
		}
		if _, err := dialect.New(one.protocol); err != nil {
			return err
		}
		c.servers = append(c.servers, one)
		c.Servers = append(c.Servers, one.name)
	}
	picked, err := pickCases(only, c.Nodes)
	c.cases = picked
	for _, k := range picked {
		c.Cases = append(c.Cases, k.name)
	}
	return err
}

func (c *comparison) runAndReport(ctx context.Context, stdout io.Writer, out output) error {
	c.Machine, c.Started = proc.ThisMachine(), time.Now().UTC()
	c.Results = map[string]map[string][]*Result{}
	c.runAll(ctx)
	if out.json == "-" {
		return writeJSON(stdout, c.Comparison)
	}
	if err := c.writeTable(stdout); err != nil {
		return err
	}
	if out.json != "" {
		if err := saveJSON(out.json, c.Comparison); err != nil {
			return err
		}
	}
	if n := len(c.Failures); n > 0 {
		return fmt.Errorf("%d runs failed", n)
	}
	return ctx.Err()
}

// runAll runs everything, so that what disturbs the machine for a while
// disturbs all servers: run after run, in each all cases, in each all servers,
// beginning with another one each time.
func (c *comparison) runAll(ctx context.Context) {
	for run := range c.Runs {
		for _, k := range c.cases {
			c.runFloor(ctx, k)
			for i := range c.servers {
				c.runOne(ctx, k, c.servers[(i+run)%len(c.servers)])
			}
		}
	}
}

func (c *comparison) runFloor(ctx context.Context, k benchCase) {
	if !k.floor || ctx.Err() != nil {
		return
	}
	o := c.tune.apply(k.opts, c.Scale)
	o.Mode = Floor
	c.keep(k, floorName, func() (*Result, error) { return start(ctx, o, c.launch, &progress{}) })
}

func (c *comparison) runOne(ctx context.Context, k benchCase, s contestant) {
	if ctx.Err() != nil {
		return
	}
	c.keep(k, s.name, func() (*Result, error) {
		o := c.tune.apply(k.opts, c.Scale)
		up, err := s.startAll(ctx, max(c.Nodes, k.nodes))
		if err != nil {
			return nil, err
		}
		r, err := start(ctx, up.options(o, s.protocol), c.launch, &progress{})
		if err != nil {
			err = fmt.Errorf("%w%s", err, up.lastWords())
		}
		return r, errors.Join(err, up.stop())
	})
}

// keep does one run and keeps its result.
func (c *comparison) keep(k benchCase, name string, run func() (*Result, error)) {
	r, err := run()
	switch {
	case err != nil:
		c.Failures = append(c.Failures, fmt.Sprintf("%s, %s: %v", k.name, name, err))
		fmt.Fprintf(c.log, "%-16s %-16s failed: %v\n", k.name, name, err)
		return
	case r.Partial:
		return // interrupted: not comparable
	}
	if c.Results[k.name] == nil {
		c.Results[k.name] = map[string][]*Result{}
	}
	c.Results[k.name][name] = append(c.Results[k.name][name], r)
	fmt.Fprintf(c.log, "%-16s %-16s %s\n", k.name, name, k.brief(r))
}
