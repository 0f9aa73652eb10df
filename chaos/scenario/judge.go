package scenario

import (
	"fmt"

	"github.com/seed-09a96375/belfry/chaos/account"
)

// Judge says what in the report must not be. Nothing: the promise was kept.
func (s Scenario) Judge(r account.Report, clients int) (faults []string) {
	add := func(n int, what string) {
		if n > 0 {
			faults = append(faults, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(r.Lost, "lost in silence")
	add(r.Duplicated, "duplicated")
	add(r.Reordered, "out of order")
	add(r.Disagreed, "in another order than elsewhere")
	add(r.Misrouted, "misrouted")
	add(r.NewIdentity, "recovered with another id")
	add(max(r.Poison-r.Letters, r.Letters-r.Poison), "too few or too many dead letters")
	add(r.Denied, "connects refused for good")
	add(r.Absent, "clients absent in the end")
	add(r.Odd, "not understood by clients")
	if s.Tells {
		if r.Told == 0 {
			faults = append(faults, "the fault cost nothing: it proves nothing")
		}
		return faults
	}
	if strangers := int(s.Strangers * float64(clients)); r.NotRecovered > strangers {
		faults = append(faults, fmt.Sprintf("%d not recovered, at most %d may be", r.NotRecovered, strangers))
	}
	if s.Strangers == 0 {
		add(r.Told, "missed, and told so")
	}
	if want := int(s.Drops * float64(clients)); r.Drops < want {
		faults = append(faults, fmt.Sprintf("only %d connections dropped, want %d: it proves nothing", r.Drops, want))
	}
	return faults
}
