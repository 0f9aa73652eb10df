package engineio

import "github.com/seed-09a96375/belfry/internal/wheel"

// timer is one of a session's timers.
type timer = wheel.Timer[*Session]

const (
	timerBeat    uint8 = iota // heartbeat
	timerLinger               // a closed polling session waits for its last GET
	timerUpgrade              // an upgrade takes too long
	timerRelease              // a GET is released during an upgrade
)

// fire sends a timer to where it belongs.
func fire(t *timer) {
	switch t.Kind {
	case timerBeat:
		t.Owner.onBeat()
	case timerLinger:
		t.Owner.onLinger()
	case timerUpgrade:
		t.Owner.onUpgradeTimeout()
	case timerRelease:
		t.Owner.onRelease()
	}
}
