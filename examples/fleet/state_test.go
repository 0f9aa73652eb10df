package fleet_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/examples/fleet"
)

// seams are where nodes share what they know, and the implementations of fleet.State;
// all pass the same tests.
func seams() (places map[string]func(testing.TB) shared, states map[string]func(*testing.T) fleet.State) {
	places = map[string]func(testing.TB) shared{"memory": func(testing.TB) shared { return shared{} }}
	states = map[string]func(*testing.T) fleet.State{"memory": func(*testing.T) fleet.State { return &fleet.Memory{} }}
	addRedis(places, states)
	return places, states
}

// everywhere runs a test on each of them.
func everywhere(t *testing.T, test func(t *testing.T, with shared)) {
	places, _ := seams()
	for name, begin := range places {
		t.Run(name, func(t *testing.T) { test(t, begin(t)) })
	}
}

func TestState(t *testing.T) {
	_, states := seams()
	for name, begin := range states {
		t.Run(name, func(t *testing.T) {
			t.Run("latest", func(t *testing.T) { keepsLatest(t, begin(t)) })
			t.Run("forget", func(t *testing.T) { forgetsOld(t, begin(t)) })
			t.Run("claim", func(t *testing.T) { claims(t, begin(t)) })
		})
	}
}

func keepsLatest(t *testing.T, s fleet.State) {
	for i, step := range []struct {
		put  []fleet.Reading
		want []bool
	}{
		{nil, nil},
		{[]fleet.Reading{reading("A-1", 5), reading("A-2", 5)}, []bool{true, true}},
		{[]fleet.Reading{reading("A-1", 5), reading("A-2", 6), reading("A-3", 1)}, []bool{false, true, true}},
		{[]fleet.Reading{reading("A-1", 4), reading("A-2", 7)}, []bool{false, true}},
	} {
		got, err := s.Put(t.Context(), step.put)
		if err != nil || !slices.Equal(got, step.want) {
			t.Errorf("step %d: newer are %v %v, want %v", i, got, err, step.want)
		}
	}
	got, err := s.Latest(t.Context(), []string{"A-2", "A-1", "A-9"})
	if err != nil || !slices.Equal(got, []fleet.Reading{reading("A-2", 7), reading("A-1", 5)}) {
		t.Errorf("the latest are %v %v", got, err)
	}
	if got, err := s.Latest(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("the latest of no truck are %v %v", got, err)
	}
}

func forgetsOld(t *testing.T, s fleet.State) {
	const trucks = 2500
	var all []fleet.Reading
	for i := range trucks {
		all = append(all, reading(fmt.Sprint("A-", i), i))
	}
	if _, err := s.Put(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := s.All(t.Context(), began.Add((trucks-3)*time.Second))
		if err != nil || len(got) != 3 {
			t.Fatalf("%d trucks %v, want those 3 that are not old", len(got), err)
		}
	}
	if got, err := s.Latest(t.Context(), []string{"A-0", "A-2499"}); err != nil || len(got) != 1 {
		t.Errorf("known are %v %v, want one: the other is forgotten", got, err)
	}
}

func claims(t *testing.T, s fleet.State) {
	alert := func(truck, kind string, second int) fleet.Alert {
		return fleet.Alert{ID: fmt.Sprint(truck, kind, second), Truck: truck, Type: kind, Time: began.Add(time.Duration(second) * time.Second)}
	}
	for i, step := range []struct {
		fleet.Alert
		want bool
	}{
		{alert("A-1", fleet.Warning, 0), true},
		{alert("A-1", fleet.Warning, 0), true}, // by who died
		{alert("A-1", fleet.Critical, 1), true},
		{alert("A-2", fleet.Warning, 1), true},
		{alert("A-1", fleet.Warning, 59), false},
		{alert("A-1", fleet.Warning, 60), true},
		{alert("A-1", fleet.Warning, 0), false}, // comes again, was told
		{alert("A-1", fleet.Warning, 60), true},
		{alert("A-1", fleet.Critical, 60), false},
		{alert("A-1", fleet.Critical, 3600), true},
	} {
		if got, err := s.Claim(t.Context(), step.Alert, time.Minute); err != nil || got != step.want {
			t.Errorf("step %d: claim of %s is %v %v, want %v", i, step.ID, got, err, step.want)
		}
	}
}
