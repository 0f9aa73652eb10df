package chat

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry"
)

// roster is who is in the room, as far as one node knows.
type roster struct {
	grace time.Duration
	known map[belfry.SocketID]entry
}

type entry struct {
	person Person
	// until is when the person is taken for gone; zero for who is there.
	until time.Time
}

// forget drops people at once.
func (r *roster) forget(left []belfry.SocketID) {
	for _, id := range left {
		delete(r.known, id)
	}
}

// update takes in who is there now. It returns the list, by name, and the time
// at which the next of those who are missing is taken for gone; zero: no one is
// missing.
func (r *roster) update(there []Person, now time.Time) (list []Person, next time.Time) {
	before := r.known
	r.known = make(map[belfry.SocketID]entry, len(there))
	for _, p := range there {
		r.known[p.ID] = entry{person: p}
	}
	for id, e := range before {
		if e.until.IsZero() {
			e.until = now.Add(r.grace)
		}
		if _, back := r.known[id]; back || !now.Before(e.until) {
			continue
		}
		r.known[id] = e
		if next.IsZero() || e.until.Before(next) {
			next = e.until
		}
	}
	list = make([]Person, 0, len(r.known)) // not nil: an empty JSON list
	for _, e := range r.known {
		list = append(list, e.person)
	}
	slices.SortFunc(list, byName)
	return list, next
}

func byName(a, b Person) int {
	return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(string(a.ID), string(b.ID)))
}
