package chain

import (
	"fmt"
)

// strangerShare: one client of so many may come back without being recovered, for each
// time that Redis is killed. Its log has a new epoch then: a client that hears nothing
// between that and the loss of its connection shows an offset of the old one.
const strangerShare = 20

// Judge says what in the report must not be.
func (s Scenario) Judge(r Report, o Options) (faults []string) {
	add := func(n int, what string) {
		if n != 0 {
			faults = append(faults, fmt.Sprintf("%d %s", n, what))
		}
	}
	d := r.Deliveries
	add(max(o.Wanted()-d.Accepted, 0)+d.Maybe+d.Refused, "never accepted")
	add(d.Lost, "lost in silence")
	add(d.Duplicated, "duplicated")
	add(d.Reordered, "out of order")
	add(d.Disagreed, "in another order than elsewhere")
	add(d.Misrouted, "misrouted")
	add(d.NewIdentity, "recovered with another id")
	add(d.Denied, "connects refused for good")
	add(d.Absent, "clients absent in the end")
	add(d.Odd, "not understood by clients")
	add(r.Rows.Missing, "accepted and no row")
	add(r.Rows.Doubled, "more than one row")
	add(r.Rows.Unknown, "rows of nothing that was sent")
	add(r.Rows.Reordered, "rows out of order")
	add(r.Rows.Elsewhere, "rows in another room, or at another place in the log, than at clients")
	add(r.Limbo, "records left in limbo")
	add(r.Unsaid, "poison that is not among the dead letters")
	add(r.Odd, "dead letters of good records")
	if most := o.strangers(); d.NotRecovered > most {
		faults = append(faults, fmt.Sprintf("%d not recovered, at most %d may be", d.NotRecovered, most))
	}
	if d.Drops < o.Clients || r.Repeated == 0 || r.Poison == 0 {
		faults = append(faults, fmt.Sprintf("%d connections dropped, %d events repeated, %d poison: it proves nothing", d.Drops, r.Repeated, r.Poison))
	}
	return faults
}

// strangers is how many may come back without being recovered.
func (o Options) strangers() int { return o.rounds() * o.Clients / strangerShare }
