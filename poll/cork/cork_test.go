package cork_test

import (
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry/poll/cork"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// holder counts.
type holder struct{ uncorked atomic.Int32 }

func (h *holder) Uncork() { h.uncorked.Add(1) }

// TestEachOnce: whoever is held is uncorked once, however many they are, and nobody
// is held by a cork that is nil, or open.
func TestEachOnce(t *testing.T) {
	var c cork.Cork
	for _, n := range []int{0, 1, 64, 65, 1000, 5000} {
		all := make([]holder, n)
		c.Close()
		for i := range all {
			if !c.Hold(&all[i]) {
				t.Fatal("a closed cork does not hold")
			}
			if i == n/2 {
				c.Flush()
			}
		}
		c.Pull()
		c.Pull()
		for i := range all {
			if got := all[i].uncorked.Load(); got != 1 {
				t.Fatalf("%d holders: one was uncorked %d times", n, got)
			}
		}
	}
	if late := new(holder); c.Hold(late) || (*cork.Cork)(nil).Hold(late) {
		t.Error("an open cork holds")
	}
}
