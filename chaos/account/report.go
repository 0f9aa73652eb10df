package account

import "fmt"

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

	Drops        int `json:"drops"`         // connections that clients lost
	Recovered    int `json:"recovered"`     // came back with recovered=true
	NotRecovered int `json:"not_recovered"` // came back with recovered=false
	Unheard      int `json:"unheard"`       // of Recovered: had received nothing before
	NewIdentity  int `json:"new_identity"`  // of Recovered: with another id
	Denied       int `json:"denied"`        // connects that were refused for good: clients do not try again by themselves
	Absent       int `json:"absent"`        // clients that were not connected in the end
	Odd          int `json:"odd"`           // what clients could not make sense of

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
