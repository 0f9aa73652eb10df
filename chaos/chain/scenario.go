// Package chain has the scenario of the whole chain: what clients say, and what other
// systems produce, goes to clients on all nodes and becomes rows.
//
//	clients ─ nginx ─ nodes ─ Redis ─ nodes ─ clients
//	                    └──── Kafka ─ archivers ─ PostgreSQL
//	producer ─ Kafka ─ nodes ─ Redis ─ nodes ─ clients
//	             └─── archivers ─ PostgreSQL
//
// The nodes have the configuration of deploy/topology. Clients write down what they
// send and get, the producer what was acknowledged; account settles what came to
// clients, and Rows what came to the table.
package chain

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/seed-09a96375/belfry/chaos/account"
)

// Options of a run.
type Options struct {
	Belfry   string // program
	Dir      string // for logs and data; a new one
	Script   string // of the clients
	Nginx    string // its configuration
	Config   string // that of the nodes, deploy/topology/belfry.yaml
	Clients  int
	Messages int // of clients and the producer together
	Seed     uint64
	// Hasty: each fault once, sooner.
	Hasty bool
}

// Report is what became of all messages.
type Report struct {
	// Deliveries is about clients.
	Deliveries account.Report `json:"deliveries"`
	// Rows is about the table.
	Rows Rows `json:"rows"`

	Repeated int `json:"repeated"` // events that clients sent again, with the same id
	Twice    int `json:"twice"`    // records in the topic that were there already, under the same id
	Limbo    int `json:"limbo"`    // records that a group is not done with in the end
	Poison   int `json:"poison"`   // records that are no messages
	Letters  int `json:"letters"`  // dead letters, each counted once for each group
	Unsaid   int `json:"unsaid"`   // poison that a group has not put aside
	Odd      int `json:"odd"`      // dead letters of what was no poison
}

// String is what is not about clients, in a line.
func (r *Report) String() string {
	w := r.Rows
	return fmt.Sprintf("%d rows with %d ids: %d missing, %d doubled, %d unknown, %d reordered, %d elsewhere; %d events repeated, %d records twice in the topic; %d of poison, %d dead letters (%d missing, %d of others); %d in limbo",
		w.All, w.IDs, w.Missing, w.Doubled, w.Unknown, w.Reordered, w.Elsewhere, r.Repeated, r.Twice, r.Poison, r.Letters, r.Unsaid, r.Odd, r.Limbo)
}

// Scenario is a run, and what must hold.
type Scenario struct {
	Name, About string
	// Control is what is broken on purpose, Traces what it must leave.
	Control string
	Traces  []Trace
}

// Trace is a figure that a control must leave.
type Trace struct {
	Name  string
	Count func(Report) int
}

// All returns every scenario.
func All() []Scenario {
	return []Scenario{{
		Name:    "chain",
		About:   "Kafka, PostgreSQL, Redis, nodes and archivers are killed and come back, nodes join and leave, while messages go from clients and a producer to clients and rows",
		Control: "records have another id on each node, the producer skips and swaps, rows have no key, records are done with before they are rows",
		Traces: []Trace{
			{"lost", func(r Report) int { return r.Deliveries.Lost }},
			{"duplicated", func(r Report) int { return r.Deliveries.Duplicated }},
			{"reordered", func(r Report) int { return r.Deliveries.Reordered }},
			{"without a row", func(r Report) int { return r.Rows.Missing }},
			{"in two rows", func(r Report) int { return r.Rows.Doubled }},
			{"in rows out of order", func(r Report) int { return r.Rows.Reordered }},
		},
	}}
}

// limit bounds a run.
func (o Options) limit() time.Duration {
	if o.Hasty {
		return 4 * time.Minute
	}
	return 10 * time.Minute
}

// over is how long it takes to send Messages. If faults take longer there are more.
func (o Options) over() time.Duration {
	if o.Hasty {
		return 40 * time.Second
	}
	return 200 * time.Second
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
	r := &run{Options: o, broken: broken, layout: lay(o.Clients, o.Seed), begun: time.Now()}
	defer r.stop()
	if err := r.start(ctx); err != nil {
		return Report{}, fmt.Errorf("start: %w", err)
	}
	if err := r.happen(ctx); err != nil {
		return Report{}, fmt.Errorf("fault: %w", err)
	}
	return r.settle(ctx)
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
