// Package backend has the scenarios of what goes from clients to backends: events of
// clients through a queue to consumers, and to a webhook. The nodes are belfry serve,
// as it comes.
//
//	clients ─ nginx ─ 3 nodes ─ Redis ─ 4 consumers
//	                          └ webhook
//
// Clients write down what was acked, consumers what they do; settle compares them.
package backend

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry/chaos/lab"
)

// Options of a run.
type Options struct {
	Belfry   string // program
	Consumer string // program
	Dir      string // for logs and data; a new one
	Script   string // of the clients
	Nginx    string // its configuration
	Clients  int
	Events   int // of all clients together
	// Hasty: fewer faults, sooner.
	Hasty bool
}

// Scenario is a run, and what must hold.
type Scenario struct {
	Name, About string
	// Control is what is broken on purpose, Traces what it must leave.
	Control string
	Traces  []Trace
	run     func(ctx context.Context, o Options, broken bool) (Report, error)
}

// Trace is a figure that a control must leave.
type Trace struct {
	Name  string
	Count func(Report) int
}

// All returns every scenario.
func All() []Scenario {
	lost := Trace{"lost", func(r Report) int { return r.Lost }}
	doubled := Trace{"doubled", func(r Report) int { return r.Doubled }}
	reordered := Trace{"reordered", func(r Report) int { return r.Reordered }}
	return []Scenario{
		{
			Name: "queue", About: "consumers, nodes and Redis are killed and come back, while clients send events through a queue",
			Control: "consumers ack before the work, or long after it, ignore keys and remember nothing; events have no id",
			Traces:  []Trace{lost, doubled, reordered}, run: runQueue,
		},
		{
			Name: "webhook", About: "a webhook's receiver goes away, nodes and Redis are killed and come back, while clients send events to it",
			Control: "the receiver says of some events that they are done, of others that they are not, wrongly",
			Traces:  []Trace{lost, doubled}, run: runWebhook,
		},
	}
}

// limit bounds a run.
func (o Options) limit() time.Duration {
	if o.Hasty {
		return 90 * time.Second
	}
	return 5 * time.Minute
}

// Run does the scenario and returns the account.
func (s Scenario) Run(ctx context.Context, o Options) (Report, error) { return s.do(ctx, o, false) }

// RunControl does the same with something broken on purpose.
func (s Scenario) RunControl(ctx context.Context, o Options) (Report, error) {
	return s.do(ctx, o, true)
}

func (s Scenario) do(ctx context.Context, o Options, broken bool) (Report, error) {
	ctx, cancel := context.WithTimeout(ctx, o.limit())
	defer cancel()
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return Report{}, err
	}
	return s.run(ctx, o, broken)
}

// Judge says what in the report must not be.
func (s Scenario) Judge(r Report, want int) (faults []string) {
	add := func(n int, what string) {
		if n != 0 {
			faults = append(faults, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(want-r.Acked, "never acked")
	add(r.Lost, "acked and lost")
	add(r.Doubled, "took effect twice")
	add(r.Reordered, "out of order")
	add(r.Unknown, "from nowhere")
	add(r.Shared, "deliveries to two handlers")
	add(r.Overlaps, "handled together with another of their key")
	add(r.Letters, "dead letters")
	add(r.Needless, "delivered again while all was well")
	add(r.Forged, "requests that are not signed")
	if r.Retries == 0 || r.Again == 0 {
		faults = append(faults, "nothing was sent or delivered again: it proves nothing")
	}
	return faults
}

// Unseen says which traces of the control are not in the report.
func (s Scenario) Unseen(r Report) (faults []string) {
	for _, t := range s.Traces {
		if t.Count(r) == 0 {
			faults = append(faults, "the control was not found out: nothing "+t.Name)
		}
	}
	return faults
}

// startCluster runs nodes with the configuration, without what is common to all.
func startCluster(ctx context.Context, o Options, config string) (*lab.Cluster, error) {
	file := filepath.Join(o.Dir, "belfry.yaml")
	if err := os.WriteFile(file, []byte(common+config), 0o600); err != nil {
		return nil, err
	}
	return lab.Start(ctx, lab.Options{Dir: o.Dir, Nginx: o.Nginx, Durable: true, Subject: lab.Subject{
		Name: "belfry-serve", Promises: true, Command: Command(o.Belfry, file),
	}})
}

// Command is the command line of a node.
func Command(program, file string) func(lab.Launch) []string {
	return func(l lab.Launch) []string {
		return []string{program, "serve", "-c", file, "--listen", l.Listen, "--node", l.Name, "--redis", l.Redis}
	}
}

const common = `open: true
drain: {delay: 200ms, over: 2s}
log: {level: info}
`

// Wanted is how many events are sent.
func (o Options) Wanted() int { return o.Clients * o.each() }

// each is how many events each client sends.
func (o Options) each() int { return max(o.Events/o.Clients, 1) }

// over is how long events flow, at least.
func (o Options) over() time.Duration {
	if o.Hasty {
		return 11 * time.Second
	}
	return 35 * time.Second
}

func joined(lines ...string) string { return strings.Join(lines, "\n") + "\n" }
