//go:build unix

package redis

import (
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/bustest"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// die ends a link as the end of its process does: Redis is told nothing.
func die(link belfry.Link) {
	l := linkOf(link)
	l.closed.Store(true)
	l.cancel()
	<-l.ended
}

// TestPresence runs the suite, each check with a prefix of its own.
func TestPresence(t *testing.T) {
	for name, interest := range map[string]bool{"all rooms": false, "interest": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			bustest.RunPresence(t, func(t *testing.T) bustest.PresenceFactory {
				o := Options{URL: server.URL(), Prefix: t.Name() + ":", Lease: 2 * time.Second, Interest: interest}
				return bustest.PresenceFactory{
					Factory: bustest.Factory{Bus: func(int) belfry.Bus { return open(t, o) }},
					Kill:    die,
				}
			})
		})
	}
}
