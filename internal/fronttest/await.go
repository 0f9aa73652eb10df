package fronttest

import (
	"testing"
	"time"
)

// Patience is how long a test waits for what has to come, also on a busy machine.
const Patience = 30 * time.Second

// Eventually waits for a condition that nothing signals.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(Patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %v: %s", Patience, what)
		}
	}
}
