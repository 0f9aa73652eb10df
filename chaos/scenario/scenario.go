// Package scenario does to a cluster what happens to clusters, while messages
// flow, and judges what the account says afterwards.
package scenario

import (
	"context"
	"time"

	"github.com/seed-09a96375/belfry/chaos/account"
	"github.com/seed-09a96375/belfry/chaos/lab"
	"github.com/seed-09a96375/belfry/chaos/publish"
)

// Scenario is one fault, and what must hold although it happens.
type Scenario struct {
	Name  string
	About string
	// Over is how long messages flow at least: longer than the fault.
	Over time.Duration
	// Watched: the Redis has a replica and Sentinels.
	Watched bool
	// NeedsLog: it is about a log that only some subjects keep.
	NeedsLog bool
	// Via is the way of the messages, ByNode or one that belfry serve has.
	Via publish.Via
	// Fault happens while messages flow, and is over when it returns.
	Fault func(context.Context, *lab.Cluster) error

	// Drops is the share of the clients that lose their connections by it, at
	// least. They must recover.
	Drops float64
	// Strangers is the share of the clients, at the most, that may come back without
	// being recovered: those that heard nothing between a restart of Redis and the
	// loss of their connection show an offset of an earlier epoch.
	Strangers float64
	// Tells: what cannot be kept is lost, and clients are told.
	Tells bool

	Control Control
}

// Applies reports whether the scenario can happen to the subject.
func (s Scenario) Applies(to lab.Subject) bool {
	return to.Serves == (s.Via != publish.ByNode) && !(s.Watched && to.NoSentinel) && !(s.NeedsLog && to.Log == "")
}

// Control is what is broken on purpose, and the trace that it must leave.
type Control struct {
	Node    lab.Control
	Publish publish.Fault
	// Trim empties the log of the bus all the time, so that nothing can be
	// repaired.
	Trim bool
	// Shows reads the trace from the report.
	Shows func(account.Report) int
	// Trace names it.
	Trace string
}

func (c Control) String() string {
	switch {
	case c.Publish != "":
		return "publishing: " + string(c.Publish)
	case c.Trim:
		return "no repair, " + string(c.Node)
	default:
		return string(c.Node)
	}
}

// The controls. Each bus fault has the one in which gaps are not repaired, each
// client fault the one in which sessions are not recovered.
var (
	noRepair = Control{
		Node: lab.NoTelling, Trim: true,
		Trace: "lost", Shows: func(r account.Report) int { return r.Lost },
	}
	noRecovery = Control{
		Node:  lab.NoRecovery,
		Trace: "not recovered", Shows: func(r account.Report) int { return r.NotRecovered },
	}
	untold = Control{
		Node:  lab.NoTelling,
		Trace: "lost", Shows: func(r account.Report) int { return r.Lost },
	}
	doubled = Control{
		Publish: publish.Double,
		Trace:   "duplicated", Shows: func(r account.Report) int { return r.Duplicated },
	}
	swapped = Control{
		Publish: publish.Swap,
		Trace:   "reordered", Shows: func(r account.Report) int { return r.Reordered },
	}
	skipped = Control{
		Publish: publish.Lose,
		Trace:   "lost", Shows: func(r account.Report) int { return r.Lost },
	}
)
