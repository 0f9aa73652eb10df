package bustest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// control is a bus that is broken on purpose, and the check that must find it.
type control struct {
	fault string
	check string
	finds string // a part of the error
	bus   func() *faulty
}

func controls() []control {
	return slices.Concat(
		deliveryControls(), orderControls(), linkControls(), requestControls(), logControls(), replayControls(), sessionControls(),
		holdingControls(), addressControls(), idControls(), batchControls(),
	)
}

// TestControls breaks the bus in one way at a time.
func TestControls(t *testing.T) {
	byName := map[string]check{}
	for _, c := range checks() {
		byName[c.name] = c
	}
	for _, ct := range controls() {
		t.Run(ct.fault, func(t *testing.T) {
			t.Parallel()
			c, ok := byName[ct.check]
			if !ok {
				t.Fatalf("no check %q", ct.check)
			}
			ctx, cancel := context.WithTimeout(t.Context(), checkTime)
			defer cancel()
			err := c.on(ctx, ct.bus().factory(t))
			switch {
			case err == nil:
				t.Errorf("check %q finds nothing wrong", ct.check)
			case !strings.Contains(err.Error(), ct.finds):
				t.Errorf("check %q finds %q, want %q", ct.check, err, ct.finds)
			}
		})
	}
}

// TestEveryCheckHasAControl keeps checks honest that are still to be written.
func TestEveryCheckHasAControl(t *testing.T) {
	covered := map[string]bool{}
	for _, ct := range controls() {
		covered[ct.check] = true
	}
	for _, c := range checks() {
		if !covered[c.name] {
			t.Errorf("no control for check %q", c.name)
		}
	}
}

// TestNothingFoundWithoutAFault shows that the harness of the controls is not
// what they find.
func TestNothingFoundWithoutAFault(t *testing.T) {
	Run(t, func(t *testing.T) Factory { return new(faulty).factory(t) })
}

// TestSlowOtherNodes runs the suite on a bus that brings messages to other nodes
// later: the contract allows it.
func TestSlowOtherNodes(t *testing.T) {
	Run(t, func(t *testing.T) Factory {
		b := &delayed{inner: memory.New(memory.Options{Log: &memory.Log{MaxMessages: 100_000}})}
		return Factory{Bus: func(int) belfry.Bus { return b }, Keeps: true}
	})
}
