package reclaim

import (
	"runtime"
	"runtime/metrics"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDue(t *testing.T) {
	w := watch{}
	for i, step := range []struct {
		now  uint64
		want bool
	}{
		{5 << 20, false},             // busy
		{5<<20 + 1, false},           // quiet, but little was allocated
		{20 << 20, false},            // busy
		{20<<20 + 100, true},         // quiet after a burst
		{20<<20 + 200, false},        // still quiet: nothing new
		{20<<20 + worthwhile, false}, // busy again
		{20<<20 + worthwhile + 200, true},
	} {
		if got := w.due(step.now); got != step.want {
			t.Errorf("step %d: due is %v, want %v", i, got, step.want)
		}
	}
}

func TestGivesBackAfterABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := Start(t.Context())
		defer stop()
		burst()
		before := idle()
		<-time.After(3 * every)
		synctest.Wait()
		if after := idle(); after > before/2 {
			t.Errorf("%d bytes lie idle, %d before", after, before)
		}
	})
}

// burst leaves 64 MiB of garbage.
func burst() {
	var keep [][]byte
	for range 64 {
		keep = append(keep, make([]byte, 1<<20))
	}
	runtime.KeepAlive(keep)
}

// idle is what the heap holds without need: free, or garbage.
func idle() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64() + s[1].Value.Uint64()
}
