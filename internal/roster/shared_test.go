package roster_test

import (
	"testing"

	"github.com/seed-09a96375/belfry/internal/roster"
	"github.com/seed-09a96375/belfry/poll"
)

// TestShared has two rosters on two places.
func TestShared(t *testing.T) {
	p := poll.NewPlaces(2)
	a, b := roster.Roster[int]{Shared: p}, roster.Roster[int]{Shared: p}
	if !a.Reserve(0) || !b.Reserve(0) || a.Reserve(0) || b.Reserve(0) {
		t.Fatal("two places are not two")
	}
	a.Add(1)
	a.Remove(1)
	a.Remove(1)
	if !b.Reserve(0) || a.Reserve(0) {
		t.Fatal("who goes gives back one place")
	}
	b.GiveBack()
	if !a.Reserve(0) || b.Reserve(0) {
		t.Error("a reservation that came to nothing gives back one place")
	}
	if b.Close(); b.Reserve(0) {
		t.Error("who is closed takes a place")
	}
	a.GiveBack()
	if !a.Reserve(0) {
		t.Error("who was refused by a closed roster has kept a place")
	}
}
