// Package bustest is the suite that every belfry.Bus passes: the contract in
// bus.go, clause by clause.
//
// Each check takes a fresh cluster, lets several nodes attach and talk, and
// counts every message by its id on every node. It returns what is wrong as an
// error, so that the package's own tests can show that it does: for each check
// there is a bus that is broken in just that way.
//
// Nothing is assumed of the time that a message takes to another node: the suite
// waits for it, up to a deadline.
package bustest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Factory makes one fresh cluster.
type Factory struct {
	// Bus returns the bus of node i, counted from 0. All belong to one cluster.
	// A bus that serves several nodes is returned each time. Required.
	Bus func(i int) belfry.Bus
	// Keeps says that links implement belfry.Log and belfry.Sessions. It must
	// keep at least 100,000 messages of 100 bytes, for a minute.
	Keeps bool
	// Outlives says that the bus knows the sessions that a node holds: they can be
	// taken by force, and after the node's Close.
	Outlives bool
	// Addresses says that links implement belfry.Directory.
	Addresses bool
	// Batches says that links implement belfry.Batcher.
	Batches bool
	// Trim makes the log forget all that was published so far. Nil: the suite
	// does not check offsets that were trimmed.
	Trim func(ctx context.Context) error
	// Foreign is an offset that another log made: of an earlier life of the
	// same bus, if it can lose its log. Empty: not checked.
	Foreign belfry.Offset
}

// checkTime bounds one check.
const checkTime = time.Minute

// Run checks every clause of the contract, each with a cluster of its own.
func Run(t *testing.T, fresh func(t *testing.T) Factory) {
	t.Helper()
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			f := fresh(t)
			if why := c.without(f); why != "" {
				t.Skip(why)
			}
			if err := c.on(t.Context(), f); err != nil {
				t.Errorf("%s\ncontract: %s", err, c.clause)
			}
		})
	}
}

// check is one clause.
type check struct {
	name      string
	clause    string // the words of the contract, about
	nodes     int    // that are attached when run begins
	keeps     bool   // it is about the log or sessions
	trims     bool   // it needs Factory.Trim
	outlives  bool   // it is about sessions that nodes hold
	addresses bool   // it is about the directory
	batches   bool   // it is about belfry.Batcher
	run       func(ctx context.Context, c *cluster) error
}

func checks() []check {
	var all []check
	for _, part := range [][]check{
		deliveryChecks(), orderChecks(), linkChecks(), requestChecks(), logChecks(), replayChecks(), sessionChecks(),
		holdingChecks(), addressChecks(), idChecks(), batchChecks(),
	} {
		all = append(all, part...)
	}
	return all
}

// without says what the bus lacks for this check.
func (k check) without(f Factory) string {
	switch {
	case k.keeps && !f.Keeps:
		return "this bus keeps no log"
	case k.outlives && !f.Outlives:
		return "this bus does not know what nodes hold"
	case k.addresses && !f.Addresses:
		return "this bus has no directory"
	case k.batches && !f.Batches:
		return "this bus takes no batches"
	case k.trims && f.Trim == nil:
		return "this log cannot be trimmed on request"
	}
	return ""
}

// on runs the check on a fresh cluster. An error tells what is wrong, whether
// run found it or one of the nodes.
func (k check) on(ctx context.Context, f Factory) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	c, err := start(ctx, f, k.nodes)
	if err != nil {
		return err
	}
	wrong := []error{k.run(ctx, c), c.close(ctx)}
	for _, m := range c.members {
		if fault := m.fault(); fault != nil {
			wrong = append(wrong, fmt.Errorf("node %s: %w", m.id, fault))
		}
	}
	return errors.Join(wrong...)
}
