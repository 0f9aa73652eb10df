package account

import (
	"fmt"
	"slices"
)

// Report is what became of all messages. Deliveries are counted, a message to a
// room of 50 makes 50, unless it says otherwise.
type Report struct {
	Accepted int `json:"accepted"` // messages
	Maybe    int `json:"maybe"`    // messages whose outcome the publisher does not know
	Refused  int `json:"refused"`  // messages that were not accepted in the end

	Expected   int `json:"expected"`   // of accepted messages, to clients that were there
	Received   int `json:"received"`   // each counted once
	Lost       int `json:"lost"`       // in silence: the client was told nothing
	Told       int `json:"told"`       // missed by a client that was told that it was not recovered
	Duplicated int `json:"duplicated"` // came again within a session
	Reordered  int `json:"reordered"`  // came after a later one of its stream
	Disagreed  int `json:"disagreed"`  // came in another order than on another client of the room
	Misrouted  int `json:"misrouted"`  // to a client that is not in the room, or never sent

	Poison  int `json:"poison,omitempty"`  // entries of a source that are no messages
	Letters int `json:"letters,omitempty"` // of Poison: put aside, with the reason

	Drops        int `json:"drops"`         // connections that clients lost
	Recovered    int `json:"recovered"`     // came back with recovered=true
	NotRecovered int `json:"not_recovered"` // came back with recovered=false
	Unheard      int `json:"unheard"`       // of Recovered: had received nothing before
	NewIdentity  int `json:"new_identity"`  // of Recovered: with another id
	Denied       int `json:"denied"`        // connects that were refused for good: clients do not try again by themselves
	Absent       int `json:"absent"`        // clients that were not connected in the end
	Odd          int `json:"odd"`           // what clients could not make sense of

	// Away is how long clients were away, with the wait that they impose on
	// themselves: 0.5 to 1.5 s before the first attempt.
	Away Times `json:"away"`

	// Examples say where to look, the first of each kind.
	Examples []string `json:"examples,omitempty"`
}

// Clean reports whether the promise was kept: nothing lost in silence, doubled
// or out of order, and everybody there.
func (r *Report) Clean() bool {
	return r.Lost+r.Duplicated+r.Reordered+r.Disagreed+r.Misrouted+r.NewIdentity+r.Denied+r.Absent+r.Odd == 0
}

const examplesPerKind = 3

func (r *Report) example(count *int, format string, args ...any) {
	if *count < examplesPerKind {
		r.Examples = append(r.Examples, fmt.Sprintf(format, args...))
	}
	*count++
}

// Times are quantiles in milliseconds; 0 if there was nothing to measure.
type Times struct {
	P50 int64 `json:"p50_ms"`
	P99 int64 `json:"p99_ms"`
	Max int64 `json:"max_ms"`
}

func timesOf(all []int64) (t Times) {
	if len(all) == 0 {
		return t
	}
	slices.Sort(all)
	at := func(q int) int64 { return all[(len(all)-1)*q/100] }
	return Times{P50: at(50), P99: at(99), Max: at(100)}
}
