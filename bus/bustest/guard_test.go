package bustest

import (
	"strings"
	"sync"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
)

func TestGuardPassesTheSuite(t *testing.T) {
	Run(t, func(t *testing.T) Factory {
		b := Guard(memory.New(memory.Options{Log: &memory.Log{MaxMessages: 100_000}}), func(err error) { t.Error(err) })
		return Factory{Bus: func(int) belfry.Bus { return b }, Keeps: true}
	})
}

func TestGuardKeepsABusWithoutLog(t *testing.T) {
	b := Guard(memory.New(memory.Options{}), func(err error) { t.Error(err) })
	link, err := b.Attach(t.Context(), newRecorder("a"))
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close(t.Context())
	if _, ok := link.(belfry.Log); ok {
		t.Error("the guarded link claims to have a log")
	}
}

// TestGuardReportsCallsFromWithin lets a node ask for its peers within Deliver,
// which it must not, and in a goroutine of its own, which it may.
func TestGuardReportsCallsFromWithin(t *testing.T) {
	var reports []string
	b := Guard(memory.New(memory.Options{}), func(err error) { reports = append(reports, err.Error()) })
	node := newRecorder("a")
	link, err := b.Attach(t.Context(), node)
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close(t.Context())
	ask := func() {
		if _, err := link.Peers(t.Context()); err != nil {
			t.Error(err)
		}
	}
	node.during(func(m *belfry.Message) {
		if idOf(m) == "bad" {
			ask()
			return
		}
		var wg sync.WaitGroup
		wg.Go(ask)
		wg.Wait()
	})
	for _, id := range []string{"good", "bad", "good again"} {
		if err := link.Publish(t.Context(), event(id, to("room"))); err != nil {
			t.Fatal(err)
		}
	}
	if len(reports) != 1 || !strings.Contains(reports[0], "Peers is called from within") {
		t.Errorf("reports: %q", reports)
	}
}
