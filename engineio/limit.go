package engineio

import "github.com/seed-09a96375/belfry/poll"

// ConnectionLimit is a bound with its default: as Options.MaxSessions has it, but for 0,
// which is no bound.
func ConnectionLimit(max int) int {
	switch {
	case max > 0:
		return max
	case max < 0:
		return 0
	}
	limit, _ := poll.RaiseFileLimit() // what could not be raised still holds
	return fitLimit(limit)
}

// unlimited is beyond what any process has descriptors for: systems report
// "infinity" as one of several large numbers.
const unlimited = 1 << 30

// fitLimit leaves descriptors for listeners, logs, links to other services and
// connections that are just being accepted.
func fitLimit(descriptors uint64) int {
	if descriptors == 0 || descriptors >= unlimited {
		return 0
	}
	reserve := min(max(descriptors/32, 64), 1024)
	if descriptors <= 2*reserve {
		return int(max(descriptors/2, 1))
	}
	return int(descriptors - reserve)
}
