package scenario

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/chaos/account"
	"github.com/seed-09a96375/belfry/chaos/lab"
	"github.com/seed-09a96375/belfry/chaos/publish"
)

func seeded() *rand.Rand { return rand.New(rand.NewPCG(7, 0)) }

func TestLayout(t *testing.T) {
	l := lay(200, seeded())
	if again := lay(200, seeded()); !reflect.DeepEqual(l, again) {
		t.Error("the same seed gives another layout")
	}
	if len(l.Members) != 200 || len(l.clients) != 200 || len(l.Streams) != publishers*(busyRooms+1) {
		t.Fatalf("%d members, %d clients, %d streams", len(l.Members), len(l.clients), len(l.Streams))
	}
	quiet, transports := 0, map[string]int{}
	perRoom := make([]int, busyRooms+1)
	for i, rooms := range l.Members {
		sorted := slices.Sorted(slices.Values(rooms))
		if slices.Contains(rooms, quietRoom) {
			quiet++
			if len(rooms) != 1 {
				t.Errorf("client %d of the quiet room is in %v", i, rooms)
			}
		} else if len(rooms) < 2 || len(rooms) > 3 || len(slices.Compact(sorted)) != len(rooms) {
			t.Errorf("client %d is in %v", i, rooms)
		}
		for _, r := range rooms {
			perRoom[r]++
		}
		transports[strings.Join(l.clients[i].Transports, "+")]++
	}
	if quiet != 10 || slices.Min(perRoom) == 0 {
		t.Errorf("%d in the quiet room, per room %v", quiet, perRoom)
	}
	if transports["polling"] != 20 || transports["polling+websocket"] != 20 || transports["websocket"] != 160 {
		t.Errorf("transports: %v", transports)
	}
	for _, s := range l.quiet {
		if l.Streams[s] != quietRoom {
			t.Errorf("stream %d is not of the quiet room", s)
		}
	}
}

func TestScenariosAreWhole(t *testing.T) {
	names := map[string]bool{}
	for _, s := range All() {
		if s.Name == "" || s.About == "" || s.Over == 0 || s.Fault == nil || names[s.Name] {
			t.Errorf("%q lacks something, or is there twice", s.Name)
		}
		names[s.Name] = true
		if s.Control.Shows == nil || s.Control.Trace == "" || s.Control.String() == "" {
			t.Errorf("%s has no control", s.Name)
		}
	}
}

func TestApplies(t *testing.T) {
	for _, s := range All() {
		serves := s.Via != publish.ByNode
		if !s.Applies(lab.Subject{Log: "log", Serves: serves}) {
			t.Errorf("%s does not apply to what can do everything", s.Name)
		}
		if s.Applies(lab.Subject{Log: "log", Serves: !serves}) {
			t.Errorf("%s applies to servers of the other kind", s.Name)
		}
		if got, want := s.Applies(lab.Subject{NoSentinel: true, Serves: serves}), !s.Watched && !s.NeedsLog; got != want {
			t.Errorf("%s applies: %v", s.Name, got)
		}
	}
}

// TestJudge: what breaks a promise is a fault, where it was promised.
func TestJudge(t *testing.T) {
	whole := account.Report{Accepted: 100, Expected: 1000, Received: 1000, Drops: 200, Recovered: 200}
	drop, lossy, strange := Scenario{Drops: 1}, Scenario{Tells: true}, Scenario{Drops: 1, Strangers: 0.1}
	for _, c := range []struct {
		name     string
		scenario Scenario
		change   func(*account.Report)
		ok       bool
	}{
		{"whole", drop, func(*account.Report) {}, true},
		{"lost", drop, func(r *account.Report) { r.Lost = 1 }, false},
		{"duplicated", drop, func(r *account.Report) { r.Duplicated = 1 }, false},
		{"reordered", drop, func(r *account.Report) { r.Reordered = 1 }, false},
		{"disagreed", drop, func(r *account.Report) { r.Disagreed = 1 }, false},
		{"misrouted", drop, func(r *account.Report) { r.Misrouted = 1 }, false},
		{"another id", drop, func(r *account.Report) { r.NewIdentity = 1 }, false},
		{"denied", drop, func(r *account.Report) { r.Denied = 1 }, false},
		{"absent", drop, func(r *account.Report) { r.Absent = 1 }, false},
		{"odd", drop, func(r *account.Report) { r.Odd = 1 }, false},
		{"not recovered", drop, func(r *account.Report) { r.NotRecovered = 1 }, false},
		{"told", drop, func(r *account.Report) { r.Told = 1 }, false},
		{"without effect", drop, func(r *account.Report) { r.Drops = 199 }, false},
		{"told where that is promised", lossy, func(r *account.Report) { r.Told, r.NotRecovered = 1, 1 }, true},
		{"lost where telling is promised", lossy, func(r *account.Report) { r.Told, r.Lost = 1, 1 }, false},
		{"strangers where they may be", strange, func(r *account.Report) { r.Told, r.NotRecovered = 1, 20 }, true},
		{"more strangers", strange, func(r *account.Report) { r.NotRecovered = 21 }, false},
		{"fewer dead letters", drop, func(r *account.Report) { r.Poison, r.Letters = 2, 1 }, false},
		{"more dead letters", drop, func(r *account.Report) { r.Poison, r.Letters = 1, 2 }, false},
		{"dead letters", drop, func(r *account.Report) { r.Poison, r.Letters = 2, 2 }, true},
		{"nothing to tell", lossy, func(*account.Report) {}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := whole
			c.change(&r)
			if faults := c.scenario.Judge(r, 200); (len(faults) == 0) != c.ok {
				t.Errorf("faults: %q", faults)
			}
		})
	}
}
