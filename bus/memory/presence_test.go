package memory_test

import (
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/bustest"
	"github.com/seed-09a96375/belfry/bus/memory"
)

func TestPresence(t *testing.T) {
	for name, o := range map[string]memory.Options{"with a log": {Log: &memory.Log{}}, "without": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bustest.RunPresence(t, func(*testing.T) bustest.PresenceFactory {
				b := memory.New(o)
				return bustest.PresenceFactory{Factory: bustest.Factory{Bus: func(int) belfry.Bus { return b }}}
			})
		})
	}
}
